"""How are virtual patients and published models shown?"""
