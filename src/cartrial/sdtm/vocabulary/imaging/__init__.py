"""How is imaging of lymphoma said: lesions, uptake, the marrow?"""
