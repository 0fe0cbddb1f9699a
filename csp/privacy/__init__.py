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
"""
