"""How production stores static files: under names that carry their digest, so that browsers keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStorage(CompressedManifestStaticFilesStorage):
    """Also rewrites the imports of our modules; otherwise a browser could join an old module to a new one."""

    support_js_module_import_aggregation = True
