"""How is the size of lesions drawn?"""
