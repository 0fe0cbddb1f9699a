#!/bin/bash
# Try CSP on a bare Debian: nothing but Python, its venv module and certificates; as root and as an ordinary user.
#
#   sudo docs/bare-debian.sh [bookworm|trixie]
#
# Needs debootstrap and root. Makes the machine in a folder below /var/tmp, clones this checkout into it, runs ./run until its
# page answers, stops it, starts it again, and runs some of the tests. Removes everything at the end.
#   MIRROR   the Debian mirror                                  (http://deb.debian.org/debian)
#   BIND     folders of this machine that pip's settings name   (none; a local package index, for example)
#   KEEP=1   leave the machine there
set -euo pipefail
suite=${1:-bookworm}
checkout=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "run it as root: debootstrap and chroot need that" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "debootstrap is missing (apt install debootstrap)" >&2; exit 1; }

machine=$(mktemp -d /var/tmp/csp-bare-XXXXXX)
chmod 755 "$machine"
mounted=()
attach() { mkdir -p "$machine$2"; mount "${@:3}" "$1" "$machine$2"; mounted=("$machine$2" "${mounted[@]}"); }
leave() {
  for folder in "${mounted[@]}"; do umount -l "$folder" || true; done
  # Only what is on this one file system: a mount that would not go must not be emptied.
  [ -n "${KEEP:-}" ] && echo "kept: $machine" || rm -rf --one-file-system "$machine"
}
trap leave EXIT

debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$suite" "$machine" "${MIRROR:-http://deb.debian.org/debian}" >/dev/null
attach proc /proc -t proc
attach /dev /dev --bind
attach tmpfs /dev/shm -t tmpfs -o mode=1777
for folder in ${BIND:-}; do attach "$folder" "$folder" --bind -o ro; done
cp /etc/resolv.conf "$machine/etc/resolv.conf" 2>/dev/null || true
[ -f /etc/pip.conf ] && cp /etc/pip.conf "$machine/etc/pip.conf"
[ -d /usr/local/share/ca-certificates ] && cp -r /usr/local/share/ca-certificates "$machine/usr/local/share/" && chroot "$machine" update-ca-certificates >/dev/null 2>&1
chroot "$machine" useradd -m person

cat >"$machine/try.py" <<'PYTHON'
"""Start ./run, wait for its page, stop it; print how long each took."""
import os, signal, subprocess, sys, time, urllib.error, urllib.request

os.chdir(sys.argv[1])
for round in ("first", "second"):
    began = time.monotonic()
    run = subprocess.Popen(["./run"], env={**os.environ, "PORT": "8790", "CSP_MAIL_DOOR_PORT": "8791", "CSP_SINK_PORT": "8792"})
    while True:
        try:
            urllib.request.urlopen("http://127.0.0.1:8790/", timeout=5)
        except urllib.error.HTTPError as answer:
            if answer.code >= 500:
                raise
        except OSError:
            if run.poll() is not None:
                sys.exit("./run ended before its page answered")
            time.sleep(0.2)
            continue
        break
    print(f"{round} start: the page answers after {time.monotonic() - began:.0f} s", flush=True)
    time.sleep(8)
    run.send_signal(signal.SIGINT)
    assert run.wait(60) == 0, "it did not stop cleanly"
sys.exit(subprocess.run(["./run", "test", "tests/csp/test_run_fixtures.py", "tests/csp/test_run_engines.py", "-q"]).returncode)
PYTHON

for home in /root /home/person; do
  git clone -q "$checkout" "$machine$home/csp"
  user=$(basename "$home")
  [ "$user" = root ] || chroot "$machine" chown -R "$user" "$home/csp"
  echo "== $suite as $user: $(chroot "$machine" python3 --version)"
  chroot "$machine" su - "$user" -c "python3 /try.py $home/csp"
done
