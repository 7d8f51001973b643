# R's figures for the exact designs of a response rate (tests/design/test_exact_*.py): from the definitions, with dbinom, pbinom,
# qbeta, dmultinom and uniroot, and from rpact where it has the quantity.
#
#   Rscript tests/oracle/design_exact.R [--out tests/oracle/design_exact.json]
#
# Run from the root of the repository. One function a section; its name is the key in design_exact.json. 15 significant digits.

suppressPackageStartupMessages({
  library(jsonlite)
  library(rpact)
})

args <- commandArgs(trailingOnly = TRUE)
OUT <- if ("--out" %in% args) args[match("--out", args) + 1] else "tests/oracle/design_exact.json"

# single stage: success probability of n and r, and rpact's own sample size by its own convention
single <- function() {
  cases <- list(c(.05, .20, .05, .20), c(.20, .40, .05, .20), c(.30, .50, .05, .20), c(.40, .65, .025, .10))
  lapply(cases, function(x) {
    n <- getSampleSizeRates(
      groups = 1, normalApproximation = FALSE, thetaH0 = x[1], pi1 = x[2], alpha = x[3], beta = x[4], sided = 1
    )$nFixed
    n <- as.integer(ceiling(n))
    r <- qbinom(1 - x[3], n, x[1]) + 1
    list(p0 = x[1], p1 = x[2], alpha = x[3], beta = x[4], rpact_n = n, r = r,
         attained = 1 - pbinom(r - 1, n, x[1]), power = 1 - pbinom(r - 1, n, x[2]))
  })
}

# two stages: r1, n1, r, n at a rate
two <- function(r1, n1, r, n, p) {
  x <- (r1 + 1):n1
  stop <- pbinom(r1, n1, p)
  list(p = p, stop = stop, expected = n1 + (1 - stop) * (n - n1),
       success = sum(dbinom(x, n1, p) * pbinom(r - x, n - n1, p, lower.tail = FALSE)))
}
two_stage <- function() {
  designs <- list(c(0, 9, 2, 17), c(3, 13, 12, 43), c(4, 18, 10, 33), c(5, 15, 18, 46), c(11, 25, 32, 66), c(19, 23, 21, 26),
                  c(8, 37, 22, 83), c(11, 50, 28, 109))
  out <- list()
  for (d in designs) for (p in c(.05, .2, .35, .5, .8)) {
    out[[length(out) + 1]] <- c(list(r1 = d[1], n1 = d[2], r = d[3], n = d[4]), two(d[1], d[2], d[3], d[4], p))
  }
  out
}

# error spending, one-sided, by rpact
spending <- function() {
  times <- c(.2, .35, .5, .8, 1)
  one <- function(type, gamma = NA_real_, alpha) {
    d <- if (is.na(gamma)) getDesignGroupSequential(informationRates = times, typeOfDesign = type, alpha = alpha, sided = 1)
         else getDesignGroupSequential(informationRates = times, typeOfDesign = type, gammaA = gamma, alpha = alpha, sided = 1)
    formula <- switch(type,
      asOF = 2 * pnorm(qnorm(1 - alpha / 2) / sqrt(times), lower.tail = FALSE),
      asP = alpha * log(1 + (exp(1) - 1) * times),
      asHSD = alpha * (1 - exp(-gamma * times)) / (1 - exp(-gamma))
    )
    list(type = type, gamma = gamma, alpha = alpha, time = times, spent = d$alphaSpent, formula = formula)
  }
  list(one("asOF", alpha = .025), one("asOF", alpha = .1), one("asP", alpha = .025), one("asP", alpha = .1),
       one("asHSD", -4, .025), one("asHSD", -2, .1), one("asHSD", 1, .05))
}

# several looks with given boundaries: cumulative n, stop at or below, stop at or above (NA: none); dbinom and a loop over paths
several <- function(n, low, high, p) {
  now <- c(1, rep(0, max(n)))
  before <- 0; expected <- 0
  futility <- efficacy <- numeric(length(n))
  for (k in seq_along(n)) {
    m <- n[k] - before
    after <- rep(0, max(n) + 1)
    for (y in 0:m) after[(1 + y):(1 + before + y)] <- after[(1 + y):(1 + before + y)] + now[1:(1 + before)] * dbinom(y, m, p)
    x <- seq_along(after) - 1
    down <- !is.na(low[k]) & x <= low[k]
    up <- !is.na(high[k]) & x >= high[k]
    futility[k] <- sum(after[down]); efficacy[k] <- sum(after[up])
    expected <- expected + n[k] * (futility[k] + efficacy[k])
    after[down | up] <- 0
    now <- after; before <- n[k]
  }
  list(n = n, low = low, high = high, p = p, futility = futility, efficacy = efficacy, expected = expected, success = sum(efficacy))
}
looks <- function() {
  designs <- list(
    list(c(15, 30, 45), c(0, 7, 13), c(10, 12, 14)),
    list(c(10, 20, 29, 39, 48), c(NA, 2, 6, 10, 14), c(9, 11, 12, 14, 15)),
    list(1:30, c(rep(NA, 9), floor((10:29) * .2), 10), c(rep(NA, 29), 11))
  )
  out <- list()
  for (d in designs) for (p in c(.1, .25, .4, .7)) out[[length(out) + 1]] <- several(d[[1]], d[[2]], d[[3]], p)
  out
}

# Fleming 1982: points of acceptance and rejection
fleming <- function() {
  one <- function(p0, alpha, n) {
    z <- qnorm(1 - alpha); N <- max(n)
    far <- (sqrt(N * p0) + sqrt(1 - p0) * z)^2 / (N + z^2)
    list(p0 = p0, alpha = alpha, n = n, reject = floor(n * p0 + z * sqrt(N * p0 * (1 - p0)) + .5) + 1,
         accept = floor(n * far - z * sqrt(N * far * (1 - far)) + .5))
  }
  list(one(.3, .05, c(20, 35)), one(.3, .05, c(20, 40)), one(.3, .05, c(15, 25, 35)), one(.2, .05, c(25, 45)), one(.1, .025, c(20, 40, 60)))
}

# after two stages without efficacy stop: planned and another second stage (Jung and Kim 2004; Koyama and Chen 2008)
inference <- function() {
  p_value <- function(p, r1, n1, r, n, m, x1, x2) { # n, r planned; m, x2 as they were
    c1 <- (r1 + 1):n1
    conditional <- pbinom(x2 - 1, m, p, lower.tail = FALSE)
    star <- qbeta(conditional, r + 1 - x1, n - n1 - (r + 1 - x1) + 1)
    sum(dbinom(c1, n1, p) * pbinom(r - c1, n - n1, star, lower.tail = FALSE))
  }
  at_least <- function(p, r1, n1, n, s) { # as planned
    c1 <- (r1 + 1):n1
    sum(dbinom(c1, n1, p) * pbinom(s - c1 - 1, n - n1, p, lower.tail = FALSE))
  }
  solve_for <- function(f, level) uniroot(function(p) f(p) - level, c(1e-9, 1 - 1e-9), tol = 1e-14, maxiter = 10000)$root
  umvue <- function(r1, n1, n, s) {
    x <- max(r1 + 1, s - (n - n1)):min(s, n1)
    sum(choose(n1 - 1, x - 1) * choose(n - n1, s - x)) / sum(choose(n1, x) * choose(n - n1, s - x))
  }
  out <- list()
  for (d in list(c(4, 19, 15, 54, .2), c(3, 13, 12, 43, .2), c(5, 15, 18, 46, .3), c(0, 9, 2, 17, .05))) {
    for (s in unique(round(seq(d[1] + 1, d[4] - 1, length.out = 7)))) {
      f <- function(p, add = 0) at_least(p, d[1], d[2], d[4], s + add)
      out[[length(out) + 1]] <- list(
        r1 = d[1], n1 = d[2], r = d[3], n = d[4], p0 = d[5], s = s, umvue = umvue(d[1], d[2], d[4], s), p_value = f(d[5]),
        median = solve_for(f, .5), lower = solve_for(f, .025), upper = solve_for(function(p) f(p, 1), .975)
      )
    }
  }
  other <- list()
  for (d in list(c(4, 19, 15, 54, .2, 7, 13, 31), c(4, 19, 15, 54, .2, 5, 9, 38), c(3, 13, 12, 43, .2, 4, 10, 25), c(5, 15, 18, 46, .3, 8, 12, 33))) {
    g <- function(p, add = 0) p_value(p, d[1], d[2], d[3], d[4], d[8], d[6], d[7] + add)
    other[[length(other) + 1]] <- list(
      r1 = d[1], n1 = d[2], r = d[3], n = d[4], p0 = d[5], x1 = d[6], x2 = d[7], m = d[8], p_value = g(d[5]),
      median = solve_for(g, .5), lower = solve_for(g, .025), upper = solve_for(function(p) g(p, 1), .975)
    )
  }
  list(planned = out, another = other)
}

# Bryant and Day 1995, p. 1379: 19 and 33 subjects, response at most 5 and 12, no toxicity at most 11 and 22; all cells by dmultinom
bryant_day <- function() {
  both <- function(a, b, phi) {
    if (phi == 1) return(a * b)
    s <- 1 + (a + b) * (phi - 1)
    (s - sqrt(s^2 - 4 * phi * (phi - 1) * a * b)) / (2 * (phi - 1))
  }
  joint <- function(n, a, b, phi) { # matrix over responders and subjects without toxicity
    q <- both(a, b, phi)
    cells <- c(q, a - q, b - q, 1 - a - b + q)
    out <- matrix(0, n + 1, n + 1)
    for (i in 0:n) for (j in 0:n) for (k in max(0, i + j - n):min(i, j)) {
      out[i + 1, j + 1] <- out[i + 1, j + 1] + dmultinom(c(k, i - k, j - k, n - i - j + k), prob = cells)
    }
    out
  }
  out <- list()
  for (phi in c(.01, .1, 1, 10, 100)) for (a in c(.3, .5)) for (b in c(.6, .8)) {
    first <- joint(19, a, b, phi); second <- joint(14, a, b, phi)
    success <- 0
    for (i in 6:19) for (j in 12:19) {
      success <- success + first[i + 1, j + 1] * sum(second[(0:14) + i > 12, (0:14) + j > 22])
    }
    out[[length(out) + 1]] <- list(phi = phi, response = a, safe = b, success = success, stop = 1 - sum(first[7:20, 13:20]))
  }
  out
}

sections <- c("single", "two_stage", "spending", "looks", "fleming", "inference", "bryant_day")
figures <- lapply(setNames(sections, sections), function(name) get(name)())
figures$meta <- list(R = as.character(getRversion()), rpact = as.character(packageVersion("rpact")))
write(toJSON(figures, auto_unbox = TRUE, digits = I(15), na = "null", pretty = 1), OUT)
