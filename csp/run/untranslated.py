"""Words that a person would see and a translator would not: literal text in templates, plain sentences in Python."""

import re

# Names and keys are the same in every language.
SAME_EVERYWHERE = re.compile(r"\b(?:CSP|SHA-256|Esc|Ctrl|K|run manage first_admin --email \S+ --name \"[^\"]*\")")

UNSEEN = re.compile(
    r"{#.*?#}|{% comment.*?{% endcomment %}|<!--.*?-->|<(?:script|style)\b.*?</(?:script|style)>"
    r"|{% block (?:body_class|wide) %}.*?{% endblock",
    re.S,
)
TRANSLATED = re.compile(r"{% blocktranslate\b.*?{% endblocktranslate %}", re.S)
TAGS = re.compile(r"{%.*?%}|{{.*?}}", re.S)
ELEMENTS = re.compile(r"<[a-zA-Z/!][^>]*>|[\w-]+=\"[^\"]*\"", re.S)
ENTITIES = re.compile(r"&#?\w+;")
ATTRIBUTES = re.compile(r'\s(?:aria-label|aria-description|title|alt|placeholder|data-key-label)="([^"]*)"')
PLAIN = re.compile(r"[^\W\d_]{2,}[^\n]*")

SAID = re.compile(
    r"""\b(?:Refused|Restricted|ValidationError)\(\s*f?["'][^"'\n]*\s"""
    r"""|\.add_error\([^,()]+,\s*f?["']"""
    r"""|\bmessages\.\w+\(\s*\w+,\s*f?["']"""
    r"""|(?<![\w-])(?:label|help_text|verbose_name|verbose_name_plural|empty_label)=f?["'][^"'\n]*[A-Za-z]{2}"""
)


def in_template(text: str) -> list[tuple[int, str]]:
    """Every stretch of words that stands outside the translating tags, with its line."""

    def blank(found: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", found.group())

    text = TRANSLATED.sub(blank, UNSEEN.sub(blank, text))
    text = TAGS.sub(blank, text)
    leaks = [(text[: found.start()].count("\n") + 1, found.group(1)) for found in ATTRIBUTES.finditer(text)]
    for number, line in enumerate(ELEMENTS.sub(blank, text).split("\n"), start=1):
        leaks += [(number, found.group().strip()) for found in PLAIN.finditer(SAME_EVERYWHERE.sub("", line))]
    return [(line, ENTITIES.sub("", words)) for line, words in leaks if PLAIN.search(ENTITIES.sub("", words))]


def in_python(text: str) -> list[tuple[int, str]]:
    """Every sentence to a person that is not marked for translation, with its line."""
    return [(text[: found.start()].count("\n") + 1, found.group()) for found in SAID.finditer(text)]
