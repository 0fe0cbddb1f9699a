"""Data protection (clause 6.1): what persons ask for their data, breaches of it, the register, the notices.

calendars       the month in which a request is answered, and what puts its end off: pure
terms           who is controller under a contract, and who may act for data protection there
requests        data-subject requests: opened, sorted, proven, extended, answered or refused; their loops
rectifying      correcting what is held, and telling those who were given it
carrying_out    erasing and restricting because somebody asked, and telling them and the recipients
recipients      to whom data was given, and passing on what changed
held            what is held on a person, by the models' own declarations; and who looked at it, without names
packages        all of it as one file, sent by a link that ends
breaches        breaches of personal data and their seventy-two hours
processing      the register of processing
published       privacy notices, their versions, and which one stood before whom
reach           everything that hangs on one customer, by the models' own declarations
blanking        rows and the trail blanked, with what is proved left standing
erasing         erasing a customer, a record at a time, certified; and again after a restore
ledger          what was erased, by numbers, in the database and in a file outside of it
keepings        the controller's decision to lock a class of records instead
locking         records that are stored and nothing else, until an instant
masking         card numbers and other patterns out of texts, and sources that lose their keys
"""
