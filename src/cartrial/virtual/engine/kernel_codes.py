"""Which position holds which state, parameter, event and output of the engine?"""

from __future__ import annotations

__all__ = ["PARAMETERS", "QUANTITIES", "STATES"]

# States. `ln`: natural logarithm of cells/uL of blood equivalent (1 cell in the body = 2e-9/uL).
STATES = (
    "ln_sensitive",  # 0 CD19-positive blasts
    "ln_sanctuary",  # 1 CD19-positive blasts that CAR-T cells reach less
    "ln_negative",  # 2 CD19-negative blasts
    "ln_bcell",  # 3 normal B cells
    "ln_effector",  # 4 effector CAR-T cells
    "ln_memory",  # 5 memory CAR-T cells
    "spent",  # 6 spent proliferative capacity (capacity left = exp(-spent))
    "exhausted",  # 7 exhausted CAR-T cells, cells/uL: counted by assays, do not kill
    "ln_host",  # 8 host T cells
    "ln_graft_rejection",  # 9 host-versus-graft activity, 1/day
    "alemtuzumab",  # 10 effect of alemtuzumab on host T cells
    "il6",  # 11 pg/mL
    "ferritin",  # 12 ng/mL
    "crp",  # 13 mg/L
    "reserve",  # 14 logit of the marrow's reserve
    "anc",  # 15 neutrophils, 1e9/L
    "plt",  # 16 platelets, 1e9/L
)
N_STATES = 17

PARAMETERS = (
    "growth",
    "kill",
    "expansion",
    "spending",
    "contraction",
    "to_memory",
    "memory_loss",
    "antigen_half",
    "room_half",
    "kill_half",
    "target_weight",
    "memory_kill",
    "memory_half",
    "reach",
    "exhaustion",
    "sensitisation",
    "allogeneic",
    "il6_yield",
    "recovery",
    "il6_brake",
    "alemtuzumab_time",
    "anc_base",
    "plt_base",
    "dose",
    "memory_share",
    "genomes",
)
(
    Q_GROWTH,
    Q_KILL,
    Q_EXPANSION,
    Q_SPENDING,
    Q_CONTRACTION,
    Q_TO_MEMORY,
    Q_MEMORY_LOSS,
    Q_ANTIGEN_HALF,
    Q_ROOM_HALF,
    Q_KILL_HALF,
    Q_TARGET_WEIGHT,
    Q_MEMORY_KILL,
    Q_MEMORY_HALF,
    Q_REACH,
    Q_EXHAUSTION,
    Q_SENSITISATION,
    Q_ALLOGENEIC,
    Q_IL6_YIELD,
    Q_RECOVERY,
    Q_IL6_BRAKE,
    Q_ALEMTUZUMAB_TIME,
    Q_ANC_BASE,
    Q_PLT_BASE,
    Q_DOSE,
    Q_MEMORY_SHARE,
    Q_GENOMES,
) = range(26)
N_PARAMETERS = 26

# Outputs of one day, float32.
QUANTITIES = (
    "blasts_positive",
    "blasts_negative",
    "b_cells",
    "car_cells",
    "car_functional",
    "host_t",
    "il6",
    "ferritin",
    "crp",
    "anc",
    "plt",
)
N_QUANTITIES = 11

# Events.
INFUSION, LYMPHODEPLETION, TOCILIZUMAB, STEROIDS, TRANSPLANT, NEW_THERAPY, END_TOCILIZUMAB, END_STEROIDS = range(8)

# What the solver notes about a patient; days are NaN where nothing happened.
(
    I_EXTINCT_SENSITIVE,
    I_EXTINCT_SANCTUARY,
    I_EXTINCT_NEGATIVE,
    I_REJECTED,
    I_TRANSPLANTED,
    I_TOCILIZUMAB,
    I_STEROIDS,
    I_PEAK_IL6,
    I_ACCEPTED,
    I_REFUSED,
    I_NEAREST_SENSITIVE,
    I_NEAREST_SANCTUARY,
    I_NEAREST_NEGATIVE,
    I_FAILED,
) = range(14)
N_INFO = 14

# Fixed numbers of the equations; their meanings and sources stand in data/model.yaml under `equations`, and a test holds both
# to the same values.
ONE_CELL = 2e-9
CAPACITY = 2.5e4
HOST_RATE = 0.17
HOST_CAPACITY = 500.0
ACCESS_HALF = 0.15
B_LIFE = 30.0
B_SOURCE = 4.0
IL6_CLEARANCE = 3.96
IL6_BASE = 3.0
LYSIS_HALF = 2000.0
EXHAUSTED_LOSS = 0.16
REJECTION_HALF = 5.0
REJECTION_CAP = 0.7
MARROW_HALF = 3000.0
ANC_RATE = 0.9
PLT_RATE = 0.16
FERRITIN_RATE = 0.15
FERRITIN_BASE = 500.0
FERRITIN_GAIN = 2.2
CRP_RATE = 0.9
CRP_BASE = 5.0
CRP_GAIN = 25.0
ACUTE_HALF = 30.0
ALEMTUZUMAB_POWER = 2.5

# Treatment.
TOCI_SIGNAL = 0.1
TOCI_CLEARANCE = 0.5
TOCI_EXPANSION = 1.2
TOCI_DAYS = 14.0
STEROID_YIELD = 0.3
STEROID_EXPANSION = 1.0
STEROID_DAYS = 7.0
TRANSPLANT_BELOW = 1e-4
TRANSPLANT_HOST = 5.0
TRANSPLANT_RESERVE = -3.0
TRANSPLANT_CAR = 12.0
MARROW_SCALE = 1909.0
MARROW_TOP = 0.9719
BLOOD_SHARE = 0.05
