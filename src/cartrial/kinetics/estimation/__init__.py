"""Which population makes the samples most likely, and how sure is it?"""
