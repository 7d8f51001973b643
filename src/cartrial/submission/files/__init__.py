"""Which bytes hold a set, its metadata, and the results made of it?"""
