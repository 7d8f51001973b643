"""Is the source fit for the study?"""
