"""Which words tell of harm: of events of interest, of what was given for them, of why a subject died?"""
