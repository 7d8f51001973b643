"""Which pages are there, and what may be done on each?"""
