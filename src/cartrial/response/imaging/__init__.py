"""What do measurements of lesions and of uptake say of lymphoma?"""

from cartrial.response.imaging.lesions import Imaged, assess_imaging, disease_by_imaging, imaging_reads

__all__ = ["Imaged", "assess_imaging", "disease_by_imaging", "imaging_reads"]
