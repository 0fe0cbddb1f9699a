"""What customers say about the service (clauses 2.2, 2.3, 4.2, 7.1, 7.2): asked, logged in confidence, acted on.

masking     names and numbers out of free text: pure
log         a remark is recorded, who said it kept apart and opened only with a reason
surveys     one question after a resolved matter, by a link that only a person can answer
inbox       what a supervisor has to see: low scores and remarks, with a clock
groups      what representatives see: figures of five and more
similar     texts that are alike, of remarks and tickets: suggestions
themes      what customers keep saying: named, merged, split by analysts; what recurs is told
counting    how often a theme was said, for one reader
improvements  findings, what is done about them, who verified it: each with a clock
effects     the same figure before and after
"""
