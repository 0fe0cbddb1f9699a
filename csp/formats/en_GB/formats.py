"""British English: Django's own form says "10:32 a.m.", the pages say 10:32."""

DATETIME_FORMAT = "j M Y, H:i"
TIME_FORMAT = "H:i"
