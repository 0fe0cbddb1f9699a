"""How production stores static files: under names that carry their digest, so that browsers keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage

# `import "./clock.js";` and `import { now } from "./clock.js";`, as our own modules write them.
OUR_IMPORTS = (r'(?P<matched>(?P<word>import|from) "(?P<url>\./[^"]+)")', '%(word)s "%(url)s"')


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise comes without types
    """Also rewrites the imports of our own modules; else a browser could join an old module to a new one.

    Django can do this too, but for every script at once, and trips over examples in the comments of other packages.
    """

    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("csp/js/*.js", (OUR_IMPORTS,)))
