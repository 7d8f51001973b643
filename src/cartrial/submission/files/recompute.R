# Does every printed figure follow from the submitted sets? Base R, foreign, survival; cmprsk for Gray's test where it is installed.
#
#   Rscript recompute.r [DATASETS [ARD [OUT]]]
#
# DATASETS: folder of the XPT files, ../datasets without. ARD: the flat table of results to compare with, ../../../../../../exchange/ard.csv
# without, if it is there. OUT: file for the recomputed figures. The exit status is 1 where a figure differs by more than 1e-9.

suppressPackageStartupMessages({ library(foreign); library(survival) })
args <- commandArgs(trailingOnly = TRUE)
folder <- if (length(args) > 0) args[1] else "../datasets"
ard_file <- if (length(args) > 1) args[2] else "../../../../../../exchange/ard.csv"
out_file <- if (length(args) > 2) args[3] else ""

read_set <- function(name) {
  path <- file.path(folder, paste0(name, ".xpt"))
  if (!file.exists(path)) return(NULL)
  found <- read.xport(path)
  for (one in names(found)) if (is.factor(found[[one]])) found[[one]] <- as.character(found[[one]])
  found
}
get <- function(set, name) {
  if (name %in% names(set)) set[[name]] else rep(NA, nrow(set))
}
text <- function(set, name) { found <- get(set, name); found[is.na(found)] <- ""; as.character(found) }
keep <- list()
put <- function(analysis, endpoint, variant, by, level, time, values, window = "", population = "") {
  n <- length(values)
  keep[[length(keep) + 1]] <<- data.frame(
    analysis = rep(analysis, n), endpoint = rep(endpoint, n), variant = rep(variant, n), by = rep(by, n), level = rep(level, n),
    time = rep(as.numeric(time), n), window = rep(window, n), population = rep(population, n), statistic = names(values),
    value = as.numeric(unlist(values)), stringsAsFactors = FALSE)
}
c_sort <- function(x) sort(unique(x), method = "radix")
# the share of each group; nothing of an empty one
share <- function(n, N) list(n = n, N = N, rate = if (N > 0) n / N else NA)

limits <- function(n, N) {
  if (N == 0) return(c(NA, NA))
  if (interval == "wilson") return(as.numeric(suppressWarnings(prop.test(n, N, conf.level = level_of, correct = FALSE)$conf.int)))
  if (interval == "mid-p") {
    half <- (1 - level_of) / 2
    upper_tail <- function(p) 1 - pbinom(n, N, p) + dbinom(n, N, p) / 2 - half
    lower_tail <- function(p) pbinom(n - 1, N, p) + dbinom(n, N, p) / 2 - half
    return(c(if (n == 0) 0 else uniroot(upper_tail, c(0, 1), tol = 1e-14)$root, if (n == N) 1 else uniroot(lower_tail, c(0, 1), tol = 1e-14)$root))
  }
  as.numeric(binom.test(n, N, conf.level = level_of)$conf.int)
}
rate_of <- function(value) {
  n <- sum(value == 1, na.rm = TRUE); N <- sum(!is.na(value)); ends <- limits(n, N)
  list(n = n, N = N, not_yet_assessable = sum(is.na(value)), rate = if (N > 0) n / N else NA, lower = ends[1], upper = ends[2])
}
with_subgroup <- function(set, column) text(adsl, column)[match(set$USUBJID, adsl$USUBJID)]

response <- function() {
  rs <- read_set("adrs")
  if (is.null(rs)) return()
  rs <- rs[text(rs, "PARCAT1") == "ENDPOINT", ]
  for (code in c_sort(rs$PARAMCD)) {
    one <- rs[rs$PARAMCD == code, ]
    id <- one$ENDPTID[1]; variant <- text(one, "VARIANT")[1]
    if (id %in% best_responses) {
      N <- nrow(one); put("response", id, variant, "best", "", NA, list(N = N))
      for (status in unique(c(best_levels, c_sort(one$AVALC)))) {
        n <- sum(one$AVALC == status); put("response", id, variant, "best", status, NA, list(n = n, rate = n / N))
      }
      next
    }
    found <- rate_of(one$AVAL)
    unread <- sum(grepl("not read", text(one, "FLAGS"), fixed = TRUE))
    put("response", id, variant, "", "", NA, c(found, if (unread > 0) list(not_read = unread)))
    if (id %in% names(nulls) && found$N > 0) {
      p <- binom.test(found$n, found$N, nulls[[id]], alternative = "greater")$p.value
      if (test_kind == "mid-p") p <- p - dbinom(found$n, found$N, nulls[[id]]) / 2
      put("response", id, variant, "", "", NA, list(p_value = p))
    }
    why <- text(one, "REASON")[!is.na(one$AVAL) & one$AVAL == 0]; why[why == ""] <- "not recorded"
    for (reason in c_sort(why)) put("response", id, variant, "reason", reason, NA, list(n = sum(why == reason)))
    if (variant %in% c("", "population=assessed")) for (group in names(subgroups)) {
      levels <- with_subgroup(one, subgroups[[group]]); levels[levels == ""] <- "missing"
      for (level in c_sort(levels)) put("response", id, variant, group, level, NA, rate_of(one$AVAL[levels == level]))
    }
  }
}

km <- function(time, event) survfit(Surv(time, event) ~ 1, conf.type = "log-log", conf.int = level_of)
quantiles <- function(fit) {
  found <- list()
  q <- quantile(fit, probs = c(0.5, 0.25, 0.75))
  for (i in 1:3) found <- c(found, setNames(list(q$quantile[[i]], q$lower[[i]], q$upper[[i]]), paste0(c("median", "q25", "q75")[i], c("", "_lower", "_upper"))))
  c(found, setNames(lapply(found[1:3], function(x) x / 30.4375), paste0("median_months", c("", "_lower", "_upper"))))
}
reached <- function(time, event) { fit <- km(time, event); min(fit$surv) <= 1e-12 }
times_within <- function(time, ended, last) {
  # a curve that has reached 0 is read on at the landmarks of its trial
  limit <- max(time)
  if (ended) limit <- max(c(landmarks[landmarks <= last], landmarks[landmarks >= max(time)][1]), na.rm = TRUE)
  landmarks[landmarks <= limit]
}
curve <- function(id, variant, by, level, time, event, last, mean) {
  fit <- km(time, event); ended <- reached(time, event)
  put("survival", id, variant, by, level, NA, c(list(N = length(time), events = sum(event), censored = sum(!event)), quantiles(fit)))
  at <- times_within(time, ended, last)
  if (length(at)) {
    found <- summary(fit, times = at, extend = TRUE)
    for (i in seq_along(at)) put("survival", id, variant, by, level, at[i],
      list(survival = found$surv[i], survival_lower = found$lower[i], survival_upper = found$upper[i]))
  }
  for (t in risk_times[risk_times <= max(time)]) put("survival", id, variant, by, level, t, list(at_risk = sum(time >= t)))
  until <- if (ended) max(times_within(time, TRUE, last), 0) else max(c(0, landmarks[landmarks <= max(time)]))
  if (mean && until > 0) {
    found <- summary(fit, rmean = until)$table
    put("survival", id, variant, by, level, until,
        list(rmst = found[["rmean"]], standard_error = found[["se(rmean)"]], rmst_months = found[["rmean"]] / 30.4375))
  }
}
compare <- function(id, variant, group, time, event, level, who) {
  within <- setdiff(strata, group)
  frame <- data.frame(time = time, event = event, level = factor(level, levels = c_sort(level)))
  right <- if (length(within)) paste0(" + strata(", paste(within, collapse = ", "), ")") else ""
  for (one in within) frame[[one]] <- text(adsl, subgroup_columns[[one]])[match(who, adsl$USUBJID)]
  for (one in within) frame <- frame[frame[[one]] != "", ]
  frame$level <- droplevels(frame$level)
  if (nlevels(frame$level) < 2 || !any(frame$event)) return()
  found <- survdiff(as.formula(paste0("Surv(time, event) ~ level", right)), frame)
  df <- sum(if (is.matrix(found$exp)) rowSums(found$exp) > 0 else found$exp > 0) - 1
  put("survival", id, variant, group, "", NA, list(chi_square = found$chisq, df = df, p_value = pchisq(found$chisq, df, lower.tail = FALSE)))
  # a level without events has no finite hazard ratio: there Firth's penalty is taken, which survival has not
  if (any(tapply(frame$event, frame$level, sum) == 0)) return()
  fit <- coxph(as.formula(paste0("Surv(time, event) ~ level", right)), frame, control = coxph.control(eps = 1e-13, iter.max = 100))
  z <- qnorm(1 - (1 - level_of) / 2); b <- coef(fit); se <- sqrt(diag(vcov(fit)))
  for (i in seq_along(b)) put("survival", id, variant, group, paste(levels(frame$level)[i + 1], "against", levels(frame$level)[1]), NA,
    list(hazard_ratio = exp(b[[i]]), lower = exp(b[[i]] - z * se[[i]]), upper = exp(b[[i]] + z * se[[i]]), p_value = pchisq((b[[i]] / se[[i]])^2, 1, lower.tail = FALSE)))
}
survival_times <- function() {
  tte <- read_set("adtte")
  if (is.null(tte)) return()
  last <- max(tte$AVAL)
  for (code in c_sort(tte$PARAMCD)) {
    one <- tte[tte$PARAMCD == code, ]
    id <- one$ENDPTID[1]; variant <- text(one, "VARIANT")[1]
    ends_of(id, variant, one)
    against <- competing[[code]]
    if (is.null(against)) {
      curve(id, variant, "", "", one$AVAL, one$CNSR == 0, last, TRUE)
      if (variant == "" && id %in% followed) {
        fit <- km(one$AVAL, one$CNSR != 0)
        found <- quantiles(fit)
        put("survival", id, variant, "follow-up", "", NA, found[grepl("^median", names(found))])
      }
      if (variant == "") for (group in names(subgroups)) {
        levels <- with_subgroup(one, subgroups[[group]]); known <- levels != ""
        if (!any(known)) next
        for (level in c_sort(levels[known])) {
          here <- known & levels == level
          curve(id, variant, group, level, one$AVAL[here], one$CNSR[here] == 0, last, FALSE)
        }
        compare(id, variant, group, one$AVAL[known], one$CNSR[known] == 0, levels[known], one$USUBJID[known])
      }
      against <- by_death[[code]]
      if (is.null(against)) next
      kind <- ifelse(one$CNSR > 0, 0, ifelse(one$EVNTDESC == "death", 2, 1))
    } else kind <- ifelse(one$CNSR >= 20, 2, ifelse(one$CNSR > 0, 0, 1))
    incidence(id, variant, one, kind, against, last)
  }
}
# what each time ended with
ends_of <- function(id, variant, one) {
  kind <- ifelse(one$CNSR >= 20, "competing", ifelse(one$CNSR > 0, "censored", "event")); why <- text(one, "EVNTDESC")
  for (by in unique(c("censored", "event", kind))) {
    put("censoring", id, variant, by, "", NA, list(n = sum(kind == by), N = length(kind)))
    for (level in c_sort(why[kind == by])) put("censoring", id, variant, by, level, NA, list(n = sum(kind == by & why == level)))
  }
}
incidence <- function(id, variant, one, kind, words, last) {
  state <- factor(kind, 0:2, c("censored", "interest", "against"))
  fit <- survfit(Surv(one$AVAL, state) ~ 1, conf.type = "log", conf.int = level_of)
  for (cause in 1:2) put("incidence", id, variant, "event", words[cause], NA,
    list(N = nrow(one), events = sum(kind == cause), censored = sum(kind == 0)))
  at <- times_within(one$AVAL, min(fit$pstate[, 1]) <= 1e-12, last)
  if (length(at)) {
    found <- summary(fit, times = at, extend = TRUE)
    for (i in seq_along(at)) for (cause in 1:2) put("incidence", id, variant, "event", words[cause], at[i],
      list(incidence = found$pstate[i, cause + 1], incidence_lower = found$lower[i, cause + 1], incidence_upper = found$upper[i, cause + 1]))
  }
  if (!requireNamespace("cmprsk", quietly = TRUE)) return()
  for (group in names(subgroups)) {
    levels <- with_subgroup(one, subgroups[[group]]); known <- levels != ""
    if (length(unique(levels[known])) < 2) next
    found <- cmprsk::cuminc(one$AVAL[known], kind[known], levels[known], cencode = 0)$Tests
    # cuminc says -1 where the variance is singular
    found[found[, "stat"] < 0, "stat"] <- NA
    for (cause in rownames(found)) put("incidence", id, variant, group, words[as.integer(cause)], NA,
      list(chi_square = found[cause, "stat"], df = found[cause, "df"], p_value = pchisq(found[cause, "stat"], found[cause, "df"], lower.tail = FALSE)))
  }
}

summary_of <- function(value, over, days) {
  known <- value[!is.na(value)]; exact <- value[!is.na(value) & !over]
  # two amounts of what is only the least, itself and far more: a quantile that is the same of both is decided
  least <- sort(known); most <- ifelse(!is.na(value) & over, 2 * max(c(known, 0)) + 1, value); most <- sort(most[!is.na(most)])
  decided <- function(f) if (isTRUE(all.equal(f(least), f(most), tolerance = 0))) f(least) else NA
  q <- function(p) function(x) quantile(x, p, type = 7, names = FALSE)
  found <- list(median = decided(median), q25 = decided(q(0.25)), q75 = decided(q(0.75)), min = decided(min), max = decided(max))
  if (days) return(found)
  logs <- log(exact[exact > 0])
  c(found, list(geometric_mean = if (length(logs)) exp(mean(logs)) else NA, mean = if (length(exact)) mean(exact) else NA,
                standard_deviation = if (length(exact) > 1) sd(exact) else NA,
                cv = if (length(logs) > 1) 100 * sqrt(exp(var(logs)) - 1) else NA))
}
kinetics <- function() {
  pp <- read_set("adpp")
  if (is.null(pp)) return()
  pp$over <- text(pp, "AVALC") != ""; pp$expanded <- text(pp, "EXPANDFL")
  for (code in c_sort(pp$PARAMCD)) {
    whole <- pp[pp$PARAMCD == code, ]
    id <- whole$ENDPTID[1]; test <- whole$PARCAT1[1]; days <- id %in% c("TMAX", "TLAST", "PERSIST")
    for (by in c("", "response")) for (level in if (by == "") "" else c("Y", "N")) {
      here <- whole[whole$expanded != "" & (by == "" | text(whole, "RESPFL") == level), ]
      if (!nrow(here)) next
      put("kinetics", id, test, by, level, NA, list(N = nrow(here), n = sum(!is.na(here$AVAL))))
      if (any(!is.na(here$AVAL)) && id != "PERSIST") put("kinetics", id, test, by, level, NA, summary_of(here$AVAL, here$over, days))
      lasting <- here[here$expanded == "Y" & !is.na(here$AVAL), ]
      if (id == "PERSIST" && nrow(lasting)) {
        found <- quantiles(km(lasting$AVAL, lasting$CNSR == 0))
        put("kinetics", id, test, by, level, NA, c(list(events = sum(lasting$CNSR == 0), censored = sum(lasting$CNSR == 1)), found[c("median", "median_lower", "median_upper")]))
      }
    }
    if (grepl("^(CMAX|AUC)", id)) {
      used <- whole[whole$expanded != "" & !whole$over & !is.na(whole$AVAL) & whole$AVAL > 0, ]
      y <- log(used$AVAL[text(used, "RESPFL") == "Y"]); n <- log(used$AVAL[text(used, "RESPFL") == "N"])
      for (level in c("Y", "N")) put("kinetics", id, test, "ratio", level, NA, list(n = length(if (level == "Y") y else n)))
      if (length(y) > 1 && length(n) > 1) {
        ends <- exp(t.test(y, n, conf.level = level_of)$conf.int)
        put("kinetics", id, test, "ratio", "Y/N", NA,
            list(geometric_mean_ratio = exp(mean(y) - mean(n)), geometric_mean_ratio_lower = ends[1], geometric_mean_ratio_upper = ends[2]))
      }
    }
    if (grepl("^AUC", id)) {
      ends <- sub("^to day ([0-9]+).*$", "\\1", text(whole, "FLAGS")[!is.na(whole$AVAL) & grepl("^to day", text(whole, "FLAGS"))])
      for (day in c_sort(ends)) put("kinetics", id, test, "ends on day", day, NA, list(n = sum(ends == day)))
      why <- text(whole, "REASON")
      for (reason in c_sort(why[why != ""])) put("kinetics", id, test, "missing", reason, NA, list(n = sum(why == reason)))
    }
  }
  for (test in c_sort(pp$PARCAT1)) {
    here <- pp[pp$PARCAT1 == test & pp$expanded != "", ]
    grew <- unique(here$USUBJID[here$expanded == "Y"])
    put("kinetics", "EXPAND", test, "expansion", "N", NA, list(n = length(setdiff(unique(here$USUBJID), grew)), N = length(unique(here$USUBJID))))
  }
}

# open: of whom it is not known whether they had the event
grades <- function(events, id, variant, N, open = 0, analysis = "safety", kept = NULL) {
  worst <- tapply(events$ATOXGRN, events$USUBJID, function(x) if (all(is.na(x))) NA else max(x, na.rm = TRUE))
  any <- sum(is.na(worst) | worst > 0); bare <- sum(is.na(worst))
  found <- c(setNames(lapply(1:5, function(g) sum(worst == g, na.rm = TRUE)), 1:5), list(">=3" = sum(worst >= 3, na.rm = TRUE)))
  if ((any > 0 && bare == any) || open == N) found[] <- NA
  found <- c(list("0" = N - any - open), found, list(any = any))
  if (open == N) found[c("0", "any")] <- NA
  for (level in if (is.null(kept)) names(found) else kept)
    put(analysis, id, variant, "max_grade", level, NA, list(n = found[[level]], N = N, rate = found[[level]] / N))
  if (is.null(kept)) put("safety", id, variant, "max_grade", "unknown", NA, list(n = bare + open, N = N))
}
# events that are shown as they were recorded, by what their terms read like; infections by their class
watched_events <- function(ae, N) {
  word <- gsub(" +", " ", toupper(trimws(text(ae, "AEDECOD")))); system <- toupper(trimws(text(ae, "AEBODSYS")))
  kind <- rep("", nrow(ae))
  for (id in rev(names(watched))) kind[grepl(watched[[id]], word, perl = TRUE)] <- id
  happened <- is.na(ae$ATOXGRN) | ae$ATOXGRN > 0
  for (id in setdiff(names(watched), special_events)) if (any(kind == id & happened)) grades(ae[kind == id, ], id, "", N)
  infected <- system %in% infections
  if ("INFECTION" %in% special_events || !any(infected & happened)) return()
  unsure <- setdiff(unique(ae$USUBJID[system == ""]), unique(ae$USUBJID[infected]))
  grades(ae[infected, ], "INFECTION", "", N, length(unsure))
}
serious_events <- function(ae, N) {
  if (!any(text(ae, "ASER") != "")) return()
  ae <- ae[text(ae, "ASER") == "Y" & (is.na(ae$ATOXGRN) | ae$ATOXGRN > 0), ]
  system <- text(ae, "AEBODSYS"); system[system == ""] <- "not coded"
  term <- toupper(trimws(text(ae, "AEDECOD"))); term[term == ""] <- "not coded"
  told <- function(rows, id, variant) grades(ae[rows, ], id, variant, N, analysis = "serious", kept = c("any", ">=3", "5"))
  told(rep(TRUE, nrow(ae)), "ANY", "")
  for (one in c_sort(system)) {
    told(system == one, one, "class")
    for (name in c_sort(term[system == one])) told(system == one & term == name, name, paste0("class=", one))
  }
}
spans <- function(events, id) {
  day <- function(x) x - (x > 0)
  start <- day(get(events, "ASTDY")); end <- day(get(events, "AENDY"))
  outcome <- toupper(text(events, "AEOUTA")); flags <- text(events, "FLAGS")
  died <- get(adsl, "DTHDY")[match(events$USUBJID, adsl$USUBJID)]; died <- day(died)
  dead <- text(adsl, "DTHFL")[match(events$USUBJID, adsl$USUBJID)] == "Y"
  going <- c("NOT RECOVERED/NOT RESOLVED", "RECOVERING/RESOLVING", "FATAL")
  yes <- function(x) !is.na(x) & x
  usable <- !is.na(end) & !yes(end < start)
  to_death <- outcome == "FATAL" | yes(events$ATOXGRN == 5) | (outcome %in% going & yes(end >= died))
  on <- (outcome %in% going & is.na(end)) | (to_death & dead)
  usable <- usable & !on
  who <- split(seq_len(nrow(events)), events$USUBJID)
  state <- sapply(who, function(i) if (any(on[i]) && any(dead[i])) "ongoing at death" else if (any(on[i])) "ongoing at the cutoff" else if (all(usable[i])) "ended" else "end not known")
  onset <- sapply(who, function(i) if (all(is.na(start[i]))) NA else min(start[i], na.rm = TRUE))
  length_of <- sapply(who, function(i) if (all(usable[i]) && !anyNA(start[i])) max(end[i]) - min(start[i]) + 1 else NA)
  length_of[state != "ended"] <- NA
  for (name in c("onset", "duration")) {
    value <- if (name == "onset") onset else length_of; value <- value[!is.na(value)]
    if (length(value)) put("safety", id, "", name, "", NA, list(n = length(value), median = median(value), min = min(value), max = max(value)))
  }
  for (level in c("ended", "ongoing at the cutoff", "ongoing at death", "end not known"))
    put("safety", id, "", "course", level, NA, list(n = sum(state == level), N = length(state)))
}
safety <- function() {
  infused <- adsl$USUBJID[text(adsl, "INFFL") == "Y"]; N <- length(infused)
  ae <- read_set("adae")
  if (!is.null(ae) && N > 0) {
    ae <- ae[text(ae, "TRTEMFL") == "Y" & ae$USUBJID %in% infused, ]
    serious_events(ae, N)
    special <- text(ae, "CQ01CD"); system <- text(ae, "AEBODSYS"); term <- toupper(trimws(text(ae, "AEDECOD")))
    for (id in special_events) grades(ae[special == id, ], id, "", N)
    watched_events(ae, N)
    grades(ae, "ANY", "", N)
    for (one in c_sort(system[system != ""])) grades(ae[system == one, ], one, "class", N)
    system[system == ""] <- "not coded"
    for (one in c_sort(system)) for (name in c_sort(term[system == one & term != ""]))
      grades(ae[system == one & term == name, ], name, paste0("class=", one), N)
    for (id in special_events) {
      here <- ae[special == id & (is.na(ae$ATOXGRN) | ae$ATOXGRN > 0), ]
      if (nrow(here)) spans(here, id)
    }
    for (kind in list(c("SERIOUS", "ASER"), c("RELATED", "AREL"))) {
      answer <- text(ae, kind[2])
      if (any(answer != "")) put("safety", kind[1], "", "", "", NA, share(length(unique(ae$USUBJID[answer == "Y" & (is.na(ae$ATOXGRN) | ae$ATOXGRN > 0)])), N))
    }
  }
  if (any(text(adsl, "EOSSTT") != "") && N > 0) {
    who <- adsl[text(adsl, "INFFL") == "Y", ]; dead <- text(who, "DTHFL") == "Y"
    put("safety", "DEATH", "", "", "", NA, share(sum(dead), N))
    day <- function(x) x - (x > 0)
    for (within in c(30, 90)) {
      early <- dead & !is.na(get(who, "DTHDY")) & day(get(who, "DTHDY")) <= within
      seen <- day(get(who, "LSTALVDY")); short <- !dead & (is.na(seen) | seen < within)
      put("safety", "DEATH", "", "", "", NA, c(share(sum(early), N), list(shorter = sum(short))), window = paste("within", within, "days of infusion"))
    }
    cause <- text(who, "DTHCAUS")[dead]
    if (any(cause != "")) { cause[cause == ""] <- "not recorded"; for (one in c_sort(cause)) put("safety", "DEATH", "", "cause", one, NA, share(sum(cause == one), N)) }
  }
  lb <- read_set("adlb")
  if (is.null(lb)) return()
  lb <- lb[order(lb$USUBJID, lb$CARDAY), ]
  for (name in names(cytopenias)) {
    used <- lb[lb$PARAMCD == cytopenias[[name]] & text(lb, "ANL01FL") == "Y", ]
    if (!nrow(used)) next
    low <- text(used, "CRIT1FL") == "Y"
    put("safety", name, "", "any", "", NA, share(sum(tapply(low, used$USUBJID, any)), length(unique(used$USUBJID))))
    put("safety", name, "", "last", "", NA, share(sum(tapply(low, used$USUBJID, function(x) x[length(x)])), length(unique(used$USUBJID))))
    if (name == "APLASIA") for (visit in c_sort(text(used, "AVISIT"))) if (visit != "") {
      here <- text(used, "AVISIT") == visit
      put("safety", name, "", "visit", visit, NA, share(sum(low[here]), sum(here)))
    }
  }
  after <- lb[lb$PARAMCD %in% c("NEUT", "PLAT"), ]
  for (window in c_sort(text(after, "AVISIT"))) if (window != "") {
    flag <- function(test) { here <- after[after$PARAMCD == test & text(after, "AVISIT") == window, ]; setNames(text(here, "CRIT2FL") == "Y", here$USUBJID) }
    found <- list("LOW-NEUT" = flag("NEUT"), "LOW-PLAT" = flag("PLAT"))
    both <- intersect(names(found[[1]]), names(found[[2]]))
    found[["LOW-EITHER"]] <- setNames(found[[1]][both] | found[[2]][both], both)
    for (name in names(found)) if (name != "LOW-EITHER" || length(both))
      if (length(found[[name]])) put("safety", name, "", "window", window, NA, c(share(sum(found[[name]]), length(found[[name]])), list(missing = N - length(found[[name]]))))
  }
}

baseline <- function() {
  who <- adsl[text(adsl, "INFFL") == "Y", ]
  for (item in characteristics) {
    level <- text(who, item$level); value <- get(who, item$number)
    known <- if (item$level != "") level != "" else !is.na(value)
    put("baseline", item$id, "", "", "", NA, list(missing = sum(!known)))
    if (!any(known)) next
    if (item$number != "" && is.numeric(value)) {
      v <- value[!is.na(value)]
      put("baseline", item$id, "", "", "", NA, list(n = length(v), N = length(value)))
      if (length(v)) put("baseline", item$id, "", "", "", NA, list(median = median(v), q25 = quantile(v, 0.25, names = FALSE), q75 = quantile(v, 0.75, names = FALSE),
        min = min(v), max = max(v), mean = mean(v), standard_deviation = if (length(v) > 1) sd(v) else NA))
    }
    if (item$level == "") next
    levels <- unique(c(item$levels, c_sort(level[known]))); volunteered <- !any(level == "N") && any(!known) && any(level == "Y")
    for (one in levels) {
      n <- sum(level == one)
      if (!volunteered) put("baseline", item$id, "", item$id, one, NA, share(n, sum(known)))
      else if (one == "Y") put("baseline", item$id, "", item$id, one, NA, list(n = n, N = NA, rate = NA))
    }
  }
}
# who did not reach a milestone from the recorded one before it, by reason; who of the assessed is not evaluable, and the other way round
losses <- function() {
  chain <- setdiff(names(milestones), "evaluable"); before <- chain[1:5]
  infused <- any(text(adsl, "INFFL") == "Y")
  flag <- function(name) text(adsl, milestones[[name]])
  shown <- sapply(chain, function(name) any(flag(name) != "") && !(name %in% before && infused && !any(flag(name) == "Y")))
  left <- ifelse(text(adsl, "DCSREAS") != "", text(adsl, "DCSREAS"), text(adsl, "EOSSTT")); left[left == ""] <- "not recorded"
  failed <- ifelse(text(adsl, "PRFAILFL") == "Y", "PRODUCT FAILURE", left)
  for (place in which(shown)) {
    earlier <- which(shown)[which(shown) < place]
    if (!length(earlier)) next
    name <- chain[place]; from <- chain[max(earlier)]
    lost <- flag(from) == "Y" & flag(name) != "Y" & flag(name) != ""
    put("flow", name, "", "loss", "", NA, list(n = sum(lost)))
    reason <- if (name %in% c(before, "infused")) failed else left
    if (name != "responders") for (one in c_sort(reason[lost])) put("flow", name, "", "loss", one, NA, list(n = sum(lost & reason == one)))
  }
  for (pair in list(c("assessed", "evaluable"), c("evaluable", "assessed"))) {
    here <- flag(pair[1]); there <- flag(pair[2])
    if (any(here != "" & there != "")) put("flow", pair[1], "", "not in", pair[2], NA, list(n = sum(here == "Y" & there != "Y" & there != "")))
  }
}
calls_of <- function(rs, reader) rs[text(rs, "PARCAT1") == "ASSESSMENT" & text(rs, "READER") == reader & !is.na(rs$CARDAY), ]
# reads of two readers, the nearest within seven days first, each used once
paired <- function(one, other) {
  found <- list()
  for (who in intersect(unique(one$USUBJID), unique(other$USUBJID))) {
    a <- one[one$USUBJID == who, ]; a <- a[order(a$CARDAY, text(a, "AVALC"), method = "radix"), ]
    b <- other[other$USUBJID == who, ]; b <- b[order(b$CARDAY, text(b, "AVALC"), method = "radix"), ]
    near <- expand.grid(i = seq_len(nrow(a)), j = seq_len(nrow(b))); near$gap <- abs(a$CARDAY[near$i] - b$CARDAY[near$j])
    near <- near[near$gap <= 7, ]
    near <- near[order(near$gap, a$CARDAY[near$i], b$CARDAY[near$j], near$i, near$j), ]
    while (nrow(near)) {
      first <- near[1, ]; found[[length(found) + 1]] <- c(a$AVALC[first$i], b$AVALC[first$j])
      near <- near[near$i != first$i & near$j != first$j, ]
    }
  }
  found
}
best_of <- function(reads) {
  call <- ifelse(text(reads, "ANL01FL") == "Y", text(reads, "AVALC"), "NE")
  place <- match(call, best_first); place[is.na(place)] <- length(best_first)
  found <- tapply(place, reads$USUBJID, min)
  setNames(best_first[found], names(found))
}
# Fleiss, Cohen, Everitt (1969): kappa and the variance of its estimate
agreement <- function(first, second) {
  merged <- function(call) { group <- if (length(categories)) categories[call] else rep(NA, length(call)); ifelse(is.na(group), call, group) }
  a <- merged(first); b <- merged(second); levels <- unique(c(a, b))
  p <- table(factor(a, levels), factor(b, levels)) / length(a); row <- rowSums(p); column <- colSums(p)
  same <- sum(diag(p)); chance <- sum(row * column); kappa <- (same - chance) / (1 - chance)
  if (chance >= 1) return(list(N = length(a), agreement = same, kappa = NA, lower = NA, upper = NA))
  on <- sum(diag(p) * (1 - (row + column) * (1 - kappa))^2); off <- outer(column, row, "+")^2 * p
  variance <- on + (1 - kappa)^2 * (sum(off) - sum(diag(off))) - (kappa - chance * (1 - kappa))^2
  # an error of 0 is no certainty: there are no limits
  if (abs(variance) < 1e-14) return(list(N = length(a), agreement = same, kappa = kappa, lower = NA, upper = NA))
  half <- qnorm(1 - (1 - level_of) / 2) * sqrt(variance / (length(a) * (1 - chance)^2))
  list(N = length(a), agreement = same, kappa = kappa, lower = max(-1, kappa - half), upper = min(1, kappa + half))
}
concordance <- function() {
  rs <- read_set("adrs")
  if (is.null(rs)) return()
  tell <- function(endpoint, readers, first, second) {
    by <- paste(readers, collapse = " | ")
    put("concordance", endpoint, "", by, "", NA, agreement(first, second))
    cell <- table(paste(first, second, sep = " | "))
    for (level in names(cell)) put("concordance", endpoint, "", by, level, NA, list(n = cell[[level]]))
  }
  after <- function(reader) { found <- calls_of(rs, reader); found[found$CARDAY > 0, ] }
  for (readers in list(c("READER 1", "READER 2"), c("IRC", "INV"))) {
    one <- after(readers[1]); other <- after(readers[2])
    pairs <- paired(one, other)
    if (length(pairs)) tell("visit", readers, sapply(pairs, `[`, 1), sapply(pairs, `[`, 2))
    a <- best_of(one); b <- best_of(other); both <- intersect(names(a), names(b))
    if (length(both)) tell("best", readers, unname(a[both]), unname(b[both]))
  }
  tte <- read_set("adtte")
  if (primary_reader != "IRC" || is.null(tte)) return()
  saw <- function(reader) { found <- after(reader); unique(found$USUBJID[text(found, "AVALC") %in% ending]) }
  seen <- setdiff(saw("INV"), saw("IRC"))
  main <- tte[text(tte, "VARIANT") == "" & tte$CNSR > 0 & text(tte, "EVNTDESC") == "new-therapy" & tte$USUBJID %in% seen, ]
  for (id in c_sort(main$ENDPTID))
    put("concordance", id, "", event_name, "by INV, then new therapy; none by IRC", NA, list(n = sum(main$ENDPTID == id)))
}
missed_visits <- function() {
  rs <- read_set("adrs")
  if (is.null(rs)) return()
  calls <- calls_of(rs, primary_reader); who <- adsl[text(adsl, "INFFL") == "Y", ]
  if (!nrow(calls) || !nrow(who)) return()
  day <- function(name) { found <- get(who, name); as.numeric(found - (found > 0)) }
  ends <- calls[text(calls, "AVALC") %in% ending, ]
  ended <- if (nrow(ends)) tapply(ends$CARDAY, ends$USUBJID, min)[who$USUBJID] else rep(NA, nrow(who))
  out <- pmin(day("DTHDY"), day("NEWDY"), as.numeric(ended), day("EOSDY"), na.rm = TRUE)
  until <- ifelse(is.na(day("CUTDY")), day("LSTALVDY"), day("CUTDY"))
  for (visit in visits) {
    inside <- calls[calls$CARDAY >= visit$first & calls$CARDAY <= visit$last, ]
    fit <- tapply(text(inside, "AVALC") != "NE", inside$USUBJID, any)
    fit <- if (nrow(inside)) as.logical(fit[who$USUBJID]) else rep(NA, nrow(who))
    open <- is.na(out) | out > visit$last; closed <- !is.na(until) & until >= visit$last
    fit <- fit[!is.na(fit) | (closed & open)]
    n <- sum(is.na(fit)); N <- length(fit)
    put("conduct", "VISIT", "", "visit", visit$name, NA,
        c(share(n, N), list(adequate = sum(fit, na.rm = TRUE), not_evaluable = sum(!fit, na.rm = TRUE))))
  }
}
flow <- function() {
  infused <- any(text(adsl, "INFFL") == "Y")
  for (name in names(milestones)) {
    flag <- text(adsl, milestones[[name]])
    n <- if (any(flag != "")) sum(flag == "Y") else NA
    before <- name %in% c("consented", "enrolled", "leukapheresed", "released", "lymphodepleted")
    if (before && infused && (is.na(n) || n == 0)) next
    put("flow", name, "", "", "", NA, list(n = n))
  }
  status <- ifelse(text(adsl, "DCSREAS") != "", text(adsl, "DCSREAS"), text(adsl, "EOSSTT")); status[status == ""] <- "not recorded"
  groups <- list(infused = text(adsl, "INFFL") == "Y")
  groups[["enrolled, not infused"]] <- text(adsl, "INFFL") != "Y" & text(adsl, "ENRLFL") == "Y"
  for (population in names(groups)) for (one in c_sort(status[groups[[population]]]))
    put("flow", "status", "", "status", one, NA, list(n = sum(status[groups[[population]]] == one)), population = population)
}

adsl <- read_set("adsl")
flow(); losses(); baseline(); concordance(); missed_visits(); response(); survival_times(); kinetics(); safety()
found <- do.call(rbind, keep)
if (out_file != "") {
  shown <- found; shown$value <- sprintf("%.17g", found$value); shown$value[is.na(found$value)] <- ""; shown$time <- ifelse(is.na(found$time), "", found$time)
  write.csv(shown, out_file, row.names = FALSE)
}
if (file.exists(ard_file)) {
  ard <- read.csv(ard_file, na.strings = "", colClasses = c(endpoint = "character", variant = "character", level = "character"), check.names = FALSE)
  for (one in c("variant", "by", "level", "window", "population", "endpoint")) ard[[one]][is.na(ard[[one]])] <- ""
  key <- function(x, window, population) paste(x$analysis, x$endpoint, x$variant, x$by, x$level, x$time, x$statistic, window, population, sep = "|")
  wide <- key(ard, ifelse(ard$endpoint == "DEATH" & ard$by == "", ard$window, ""), ifelse(ard$endpoint == "status", ard$population, ""))
  place <- match(key(found, found$window, found$population), wide)
  value <- ard$value[place]
  both <- !is.na(place) & !is.na(value) & !is.na(found$value)
  off <- both & abs(value - found$value) > 1e-9 * pmax(1, abs(value))
  one_alone <- !is.na(place) & (is.na(value) != is.na(found$value))
  cat(sprintf("%d figures compared, %d differences; %d not estimable in both; %d recomputed figures that are not in the results\n",
              sum(both), sum(off) + sum(one_alone), sum(!is.na(place) & is.na(value) & is.na(found$value)), sum(is.na(place))))
  cat("compared:", paste(names(table(found$analysis[both])), table(found$analysis[both]), collapse = ", "), "\n")
  rest <- ard[!is.na(ard$value) & !(seq_len(nrow(ard)) %in% place) & (is.na(ard$time) | ard$time %in% landmarks), ]
  said <- paste(rest$analysis, rest$by)
  if (nrow(rest)) cat("not recomputed here (steps of curves apart):", paste(names(table(said)), table(said), collapse = ", "), "\n")
  wrong <- which(off | one_alone)
  if (length(wrong)) { shown <- cbind(found[wrong, ], printed = value[wrong]); print(shown, row.names = FALSE); quit(status = 1) }
}
