# R's figures of models for the tests of cartrial.
#
#   python  tests/model_sets.py SETS.csv        # 1,500 random sets
#   Rscript tests/oracle/models.R SETS.csv [tests/oracle/models.json]
#
# Run from the root of the repository. 12 significant digits; null is NA. About two minutes.

suppressPackageStartupMessages({
  library(survival)
  library(jsonlite)
})
args <- commandArgs(trailingOnly = TRUE)
SETS <- read.csv(args[1])
OUT <- if (length(args) > 1) args[2] else "tests/oracle/models.json"
TIGHT <- coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 100)

# What coxph gives, and whether it warns that the likelihood has no largest value. 20 steps, its default, are not always enough.
fit <- function(call) {
  call <- substitute(call)
  where <- parent.frame()
  call$control <- quote(coxph.control(iter.max = 100))
  warned <- FALSE
  withCallingHandlers(eval(call, where), warning = function(w) {
    warned <<- TRUE
    invokeRestart("muffleWarning")
  })
  call$control <- TIGHT
  f <- suppressWarnings(eval(call, where))
  list(coef = unname(coef(f)), se = unname(sqrt(diag(f$var))), warned = warned)
}
columns <- function(fits, terms) { # one array a figure; null where R warns
  of <- function(name, k) sapply(fits, function(f) if (is.null(f) || f$warned) NA else f[[name]][k])
  list(
    coef = lapply(seq_len(terms), function(k) of("coef", k)), se = lapply(seq_len(terms), function(k) of("se", k)),
    warned = sapply(fits, function(f) if (is.null(f)) NA else f$warned)
  )
}

fine_gray <- function(d) {
  if (!any(d$cause == 1)) return(NULL)
  d$subject <- seq_len(nrow(d))
  d$cause <- factor(d$cause, 0:2)
  if (!any(d$cause == 0)) { # finegray() needs a censoring: without any, who had the competing event stays at risk to the end
    end <- max(d$time) + 1
    d$fgstop <- ifelse(d$cause == 2, end, d$time)
    d$fgstatus <- as.numeric(d$cause == 1)
    return(fit(coxph(Surv(fgstop, fgstatus) ~ group, data = d, ties = "breslow", cluster = subject)))
  }
  fg <- finegray(Surv(time, cause) ~ ., data = d, etype = 1)
  fit(coxph(Surv(fgstart, fgstop, fgstatus) ~ group, data = fg, weights = fgwt, ties = "breslow", cluster = subject))
}

random_cox <- function() {
  d <- split(SETS, SETS$set)
  columns(lapply(d, function(s) fit(coxph(Surv(time, event) ~ group, data = s))), 1)
}
random_cox_two <- function() {
  d <- split(SETS, SETS$set)[seq(1, 1500, 5)]
  columns(lapply(d, function(s) fit(coxph(Surv(time, event) ~ group + x, data = s))), 2)
}
random_fine_gray <- function() {
  d <- split(SETS, SETS$set)
  columns(lapply(d, fine_gray), 1)
}

# Times that differ by rounding alone (relative 1e-9): ties to all of R's survival (timefix).
near_ties <- function() {
  d <- data.frame(
    time = c(10, 10 * (1 + 1e-9), 10, 25, 25 * (1 - 1e-9), 40, 40 * (1 + 1e-9), 55, 70, 70 * (1 + 1e-9), 90, 120),
    event = c(1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0), group = rep(c(0, 1), 6), cause = c(1, 2, 0, 1, 1, 0, 2, 1, 0, 1, 2, 0)
  )
  km <- survfit(Surv(time, event) ~ 1, data = d)
  log_rank <- survdiff(Surv(time, event) ~ group, data = d)
  cumulative <- survfit(Surv(time, factor(cause, 0:2)) ~ 1, data = d)
  list(
    time = d$time, event = d$event, group = d$group, cause = d$cause, efron = fit(coxph(Surv(time, event) ~ group, data = d)),
    breslow = fit(coxph(Surv(time, event) ~ group, data = d, ties = "breslow")), fine_gray = fine_gray(d),
    chisq = log_rank$chisq, km = unclass(km)[c("n.risk", "n.event", "n.censor", "surv")],
    incidence = list(cause_1 = cumulative$pstate[, 2], cause_2 = cumulative$pstate[, 3])
  )
}

# A group and a number whose origin and unit change: coxph centres and scales.
origin_and_scale <- function() {
  d <- SETS[SETS$set == 0, ]
  lapply(list(c(1, 0), c(1e-6, 0), c(1, 2e7), c(1e6, -5)), function(by) {
    e <- transform(d, x = x * by[1] + by[2])
    c(list(scale = by[1], origin = by[2]), fit(coxph(Surv(time, event) ~ group + x, data = e)))
  })
}
no_censoring <- function() {
  d <- data.frame(time = c(5, 8, 12, 20, 25, 30), cause = c(1, 2, 1, 1, 2, 1), group = c(0, 1, 0, 1, 0, 1))
  fine_gray(d)
}

as_json <- function(x) toJSON(x, auto_unbox = TRUE, digits = I(12), na = "null", null = "null")
SECTIONS <- c("random_cox", "random_cox_two", "random_fine_gray", "near_ties", "origin_and_scale", "no_censoring")
meta <- list(
  R = as.character(getRversion()), survival = as.character(packageVersion("survival")),
  jsonlite = as.character(packageVersion("jsonlite")), digits = 12
)
parts <- c(list(meta = meta), lapply(setNames(SECTIONS, SECTIONS), function(s) get(s)()))
writeLines(c("{", paste(sprintf("\"%s\": %s", names(parts), vapply(parts, as_json, "")), collapse = ",\n"), "}"), OUT)
