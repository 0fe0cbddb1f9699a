"""The doors through which mail comes in. Each lands the bytes first and says "yes, we have it" only afterwards.

imap     mailboxes that are fetched
smtp     our own listener, SMTP or LMTP
files    messages, mboxes and Maildirs given on the command line

The contact form and the customers' own pages land what is written there by tickets.intake.sheet.
"""
