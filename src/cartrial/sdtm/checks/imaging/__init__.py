"""Is imaging of lymphoma recorded so that a status can be derived from it?"""
