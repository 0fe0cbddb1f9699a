"""Mail intake. The pure part, which knows no database:

reading     bytes -> Message: what was sent, by whom, in which words, with which files
verdicts    Message and known facts -> Verdict: inquiry, bounce, automatic, own, unsorted or parked, with its reason
references  signed reply addresses, Message-IDs and marks
html        HTML made safe to show at render time, and words out of HTML
quoting     words, quotes and signatures apart, for the view

charsets, headers, mime and bounces are what these stand on; nobody else needs them.
"""
