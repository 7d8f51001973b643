# R's figures for published evidence (tests/evidence, tests/analysis/test_rate_methods.py, tests/analysis/test_pooled.py).
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

SETS <- list(
  placebo = list(x = c(23, 12, 19, 9, 39, 6, 9, 10), n = c(107, 44, 51, 39, 139, 20, 78, 35)),
  six = list(x = c(41, 44, 39, 24, 17, 27), n = c(48, 53, 55, 35, 20, 29)),
  nine = list(x = c(41, 44, 39, 24, 17, 27, 12, 27, 4), n = c(48, 53, 55, 35, 20, 29, 12, 28, 6)),
  equal = list(x = c(16, 24, 32, 40), n = c(20, 30, 40, 50)),
  two = list(x = c(39, 41), n = c(55, 48)),
  nobody = list(x = c(0, 1, 0, 3), n = c(10, 12, 20, 25))
)

# exact binomial-normal likelihood: integrate, optim, uniroot; and lme4 with 41 points where it converges
pooled_exact <- function() {
  suppressPackageStartupMessages(library(lme4))
  lapply(SETS, function(d) {
    one <- function(x, n, m, s) {
      if (s < 1e-8) return(dbinom(x, n, plogis(m), log = TRUE))
      f <- function(z) dbinom(x, n, plogis(m + s * z)) * dnorm(z)
      log(integrate(f, -12, 12, rel.tol = 1e-11, subdivisions = 2000)$value)
    }
    ll <- function(m, s) sum(mapply(one, d$x, d$n, MoreArgs = list(m = m, s = abs(s))))
    best <- function(m) {
      o <- optimize(function(s) ll(m, s), c(0, 8), maximum = TRUE, tol = 1e-9)
      if (ll(m, 0) >= o$objective) list(s = 0, ll = ll(m, 0)) else list(s = o$maximum, ll = o$objective)
    }
    m <- optimize(function(m) best(m)$ll, qlogis(sum(d$x) / sum(d$n)) + c(-2, 2), maximum = TRUE, tol = 1e-9)$maximum
    top <- best(m)
    fall <- function(v) 2 * (top$ll - best(v)$ll) - qchisq(.95, 1)
    low <- uniroot(fall, c(m - 8, m), tol = 1e-10)$root
    high <- uniroot(fall, c(m, m + 8), tol = 1e-10)$root
    mean_rate <- if (top$s == 0) plogis(m) else integrate(function(z) plogis(m + top$s * z) * dnorm(z), -12, 12, rel.tol = 1e-11)$value
    # lme4 stops at equal rates ("Response is constant")
    g <- tryCatch(suppressMessages(suppressWarnings(glmer(cbind(x, rest) ~ 1 + (1 | trial), family = binomial, nAGQ = 41,
      data = data.frame(x = d$x, rest = d$n - d$x, trial = factor(seq_along(d$x)))))), error = function(e) NULL)
    list(x = d$x, n = d$n, mean = m, heterogeneity = top$s^2, log = top$ll, limits = plogis(c(low, high)), mean_rate = mean_rate,
         lme4 = if (is.null(g)) NULL else list(mean = unname(fixef(g)), error = sqrt(vcov(g)[1, 1]), heterogeneity = unname(unlist(VarCorr(g)))))
  })
}

# REML and Knapp-Hartung by metafor, with a threshold so small that the estimate is exact
pooled_normal <- function() {
  suppressPackageStartupMessages(library(metafor))
  lapply(SETS, function(d) {
    r <- rma(measure = "PLO", xi = d$x, ni = d$n, test = "knha", control = list(threshold = 1e-14, maxiter = 1000))
    p <- suppressWarnings(predict(r))
    list(mean = as.numeric(r$b), heterogeneity = r$tau2, error = r$se, limits = plogis(c(r$ci.lb, r$ci.ub)),
         prediction = plogis(c(p$pi.lb, p$pi.ub)))
  })
}

sections <- list(rate_methods = rate_methods, pooled_exact = pooled_exact, pooled_normal = pooled_normal)
result <- c(list(meta = list(R = R.version.string)), lapply(sections, function(f) f()))
writeLines(toJSON(result, auto_unbox = TRUE, digits = I(12), pretty = TRUE, na = "null"), OUT)
