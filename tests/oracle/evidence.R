# R's figures for published evidence (tests/evidence, tests/analysis/test_rate_methods.py).
#
#   Rscript tests/oracle/evidence.R [--out tests/oracle/evidence.json]
#
# Run from the root of the repository. One function a section; its name is the key in evidence.json. 12 significant digits.
# Interval methods: R's binom.test and prop.test where R has them, else the formulas of Brown, Cai and DasGupta (2001) and Newcombe (1998).

suppressPackageStartupMessages(library(jsonlite))
args <- commandArgs(trailingOnly = TRUE)
OUT <- if ("--out" %in% args) args[match("--out", args) + 1] else "tests/oracle/evidence.json"

rate_methods <- function() {
  cases <- list(c(34, 48), c(0, 12), c(12, 12), c(1, 9), c(157, 185), c(7, 20))
  out <- list()
  for (case in cases) for (level in c(.95, .9)) {
    x <- case[1]; n <- case[2]; z <- qnorm(.5 + level / 2); p <- x / n; tail <- (1 - level) / 2
    more <- n + z^2; q <- (x + z^2 / 2) / more
    mid <- function(t, upper) uniroot(function(p) {
      (if (upper) pbinom(x, n, p) - dbinom(x, n, p) / 2 else 1 - pbinom(x, n, p) + dbinom(x, n, p) / 2) - t
    }, c(1e-12, 1 - 1e-12), tol = 1e-14)$root
    wald <- z * sqrt(p * (1 - p) / n)
    angle <- asin(sqrt(p)); turn <- z / (2 * sqrt(n))
    inside <- x > 0 && x < n
    lg <- z * sqrt(1 / x + 1 / (n - x))
    limits <- list(
      "Clopper-Pearson" = as.numeric(binom.test(x, n, conf.level = level)$conf.int),
      "Wilson" = as.numeric(suppressWarnings(prop.test(x, n, conf.level = level, correct = FALSE))$conf.int),
      "Wilson corrected" = {
        # Newcombe's method 4, in full even where |p - 1/2| is below 1 / 2n, where prop.test shrinks its correction
        low <- (2 * x + z^2 - 1 - z * sqrt(z^2 - 2 - 1 / n + 4 * p * (n * (1 - p) + 1))) / (2 * more)
        high <- (2 * x + z^2 + 1 + z * sqrt(z^2 + 2 - 1 / n + 4 * p * (n * (1 - p) - 1))) / (2 * more)
        test <- as.numeric(suppressWarnings(prop.test(x, n, conf.level = level))$conf.int)
        mine <- c(if (x == 0) 0 else low, if (x == n) 1 else high)
        stopifnot(max(abs(mine - test)) < 1e-9)
        test
      },
      "Jeffreys" = c(if (x == 0) 0 else qbeta(tail, x + .5, n - x + .5), if (x == n) 1 else qbeta(1 - tail, x + .5, n - x + .5)),
      "mid-p" = c(if (x == 0) 0 else mid(tail, FALSE), if (x == n) 1 else mid(tail, TRUE)),
      "Agresti-Coull" = c(max(0, q - z * sqrt(q * (1 - q) / more)), min(1, q + z * sqrt(q * (1 - q) / more))),
      "Wald" = c(max(0, p - wald), min(1, p + wald)),
      "Wald corrected" = c(max(0, p - wald - 1 / (2 * n)), min(1, p + wald + 1 / (2 * n))),
      "logit" = if (inside) plogis(qlogis(p) + c(-1, 1) * lg) else c(NA, NA),
      "arcsine" = sin(c(max(0, angle - turn), min(pi / 2, angle + turn)))^2
    )
    out[[length(out) + 1]] <- list(x = x, n = n, level = level, limits = limits)
  }
  out
}

sections <- list(rate_methods = rate_methods)
result <- c(list(meta = list(R = R.version.string)), lapply(sections, function(f) f()))
writeLines(toJSON(result, auto_unbox = TRUE, digits = I(12), pretty = TRUE, na = "null"), OUT)
