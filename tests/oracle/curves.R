# Kaplan-Meier curves of four public sets as a figure of 400 x 300 pt shows them, for tests/evidence/test_curves.py.
#
#   Rscript tests/oracle/curves.R [--out tests/oracle/curves.json]
#
# Run from the root of the repository. Sets: gbsg, veteran, cancer (lung), colon of R's survival (LGPL); nothing of them is kept but what a
# figure shows, in units of 0.01 pt: `drops` and `ticks` (x, y), `rows` (numbers at risk at eighths of the axis), n and events of each arm,
# and the log hazard ratio of the individuals by coxph (ties by Efron), the log-rank chi-square, the median of each arm.

suppressPackageStartupMessages(library(survival))

args <- commandArgs(trailingOnly = TRUE)
OUT <- if ("--out" %in% args) args[match("--out", args) + 1] else "tests/oracle/curves.json"
WIDTH <- 40000
HEIGHT <- 30000

sets <- list(
  gbsg = with(gbsg, data.frame(time = rfstime, event = status, arm = hormon)),
  veteran = with(veteran, data.frame(time = time, event = status, arm = trt)),
  lung = with(cancer, data.frame(time = time, event = status - 1, arm = sex)),
  colon = with(subset(colon, etype == 1 & rx != "Lev"), data.frame(time = time, event = status, arm = as.integer(rx == "Lev+5FU")))
)

arm <- function(data, end) {
  fit <- survfit(Surv(time, event) ~ 1, data = data)
  x <- round(WIDTH * fit$time / end)
  y <- round(HEIGHT * fit$surv)
  drop <- fit$n.event > 0
  tick <- fit$n.censor > 0
  at <- end * (0:7) / 8
  list(n = nrow(data), events = sum(data$event), drops = cbind(x, y)[drop, ], ticks = cbind(x, y)[tick, , drop = FALSE],
       last = max(x), rows = sapply(at, function(t) sum(data$time >= t)), median = unname(quantile(fit, .5)$quantile))
}

out <- lapply(sets, function(data) {
  end <- max(data$time)
  data$arm <- as.integer(data$arm == max(data$arm))
  cox <- coxph(Surv(time, event) ~ arm, data = data, ties = "efron")
  list(end = end, log_hr = unname(coef(cox)), se = sqrt(vcov(cox)[1]), logrank = survdiff(Surv(time, event) ~ arm, data = data)$chisq,
       arms = lapply(split(data, data$arm), arm, end = end))
})
out$meta <- list(R = R.version.string, survival = as.character(packageVersion("survival")), width = WIDTH, height = HEIGHT)
# base R alone: lists as objects, a matrix as rows, a vector of one value as that value
json <- function(x) {
  if (is.list(x)) return(paste0("{", paste0('"', names(x), '":', sapply(x, json), collapse = ",\n"), "}"))
  if (is.matrix(x)) return(paste0("[", paste(apply(x, 1, json), collapse = ","), "]"))
  text <- if (is.character(x)) paste0('"', x, '"') else ifelse(is.na(x), "null", formatC(x, digits = 12, format = "g", width = 1))
  if (length(x) == 1) text else paste0("[", paste(text, collapse = ","), "]")
}
writeLines(json(out), OUT)
