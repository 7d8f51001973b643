"""How is whose data they are hidden: codes for subjects, study days for dates, no site, no words of a site?"""
