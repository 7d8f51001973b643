"""Is what tells of harm, of its treatment, of a cause of death in words that are read?"""
