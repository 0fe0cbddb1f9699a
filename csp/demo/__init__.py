"""The demonstration: Lakeside Home, a company that does not exist, on a database of its own.

company    who works there, in which teams, with which texts
matters    what its customers write about, and what they are answered (matters/*.txt)
seldom     what of it happens once, to whom, in which words
plan       which of it happened when, for a fixed seed: pure
schooling  what its people were trained in
voices     what its customers said, and what was made of it
ruling     what supervisors rule on: holds, how a breach is to be read, who stands in
protecting what persons asked for their data, breaches of it, the register, the notices
stating    the months that were stated and signed
past       making it happen, by the product's own verbs, at past instants
making     the first page at once, the history behind it, going on where an earlier try was killed
post       the folder in which lies what customers received, filled by the local mail sink
pages      the page that shows it

Nothing here runs on another database than the demonstration's (settings.DEMO).
"""
