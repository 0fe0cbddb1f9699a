"""Read one message from standard input under limits of time and memory, to learn whether it can be read at all.

    python -m tickets.intake.guarded < message      ends with 0 if it could

Run by tickets.intake.taking_in before the third try at a message that failed twice, perhaps by killing its worker.
"""

import resource
import sys

from django.conf import settings

CPU_SECONDS = 10
MEMORY = 512 * 1024 * 1024


def main() -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    settings.configure(USE_I18N=False)

    from tickets.intake import reading  # its words need settings

    message = reading.read(sys.stdin.buffer.read())
    return int(message.has_problem("failed"))  # out of memory, perhaps: `read` does not raise


if __name__ == "__main__":
    sys.exit(main())
