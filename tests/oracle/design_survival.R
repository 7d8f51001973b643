# R's figures for the tests of single-arm survival designs.
#
#   Rscript tests/oracle/design_survival.R      # writes tests/oracle/design_survival.json
#
# R 4.2.2, survival 3.5-3, rpact 3.3.4, jsonlite 1.8.4. Data are drawn here and stored beside the figures.

suppressPackageStartupMessages({
  library(survival)
  library(rpact)
  library(jsonlite)
})
HERE <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))

# One-sample log-rank test: survdiff with an offset, the null's survival at each subject's time.
one_sample <- lapply(1:12, function(i) {
  set.seed(20260100 + i)
  n <- sample(5:60, 1)
  shape <- c(1, 0.7, 1.5)[1 + i %% 3]
  scale <- c(10, 4, 25)[1 + i %% 3]
  death <- rweibull(n, shape, scale * c(1, 1.6, 0.8)[1 + i %% 3])
  end <- runif(n, 2, 20)
  time <- round(pmin(death, end), 3)
  event <- as.integer(death <= end)
  S0 <- pweibull(time, shape, scale, lower.tail = FALSE)
  fit <- survdiff(Surv(time, event) ~ offset(S0))
  ratio <- poisson.test(sum(event), -sum(log(S0)))
  list(
    time = time, event = event, shape = shape, scale = scale, survival = S0, observed = as.numeric(fit$obs), expected = as.numeric(fit$exp),
    chisq = as.numeric(fit$chisq), p_two_sided = pchisq(fit$chisq, 1, lower.tail = FALSE), ratio = as.numeric(ratio$estimate),
    lower = ratio$conf.int[1], upper = ratio$conf.int[2], p_poisson = poisson.test(sum(event), -sum(log(S0)), alternative = "less")$p.value
  )
})

# Probability of an observed event: rpact, uniform accrual, exponential or Weibull times (S = exp(-(lambda t)^kappa)); loss with
# exponential times alone (rpact has no other).
grid <- expand.grid(kappa = c(0.6, 1, 1.8), accrual = c(6, 24), follow = c(1, 12), lost = c(0, 0.1))
events <- lapply(which(grid$kappa == 1 | grid$lost == 0), function(i) {
  g <- grid[i, ]
  p <- getEventProbabilities(
    time = g$accrual + g$follow, accrualTime = c(0, g$accrual), accrualIntensity = 100 / g$accrual, lambda2 = 0.08, hazardRatio = 1,
    kappa = g$kappa, dropoutRate1 = g$lost, dropoutRate2 = g$lost, dropoutTime = 12, maxNumberOfSubjects = 100,
    allocationRatioPlanned = 1
  )
  c(as.list(g), list(lambda = 0.08, probability = as.numeric(p$overallEventProbabilities)))
})

# Numbers of subjects before rounding up, from the definitions by integration over time.
designs <- lapply(seq_len(nrow(grid)), function(i) {
  g <- grid[i, ]
  alpha <- 0.05
  beta <- 0.15
  hr <- 0.55
  S1 <- function(t) exp(-hr * (0.08 * t)^g$kappa)
  H0 <- function(t) (0.08 * t)^g$kappa
  h0 <- function(t) g$kappa * 0.08 * (0.08 * t)^(g$kappa - 1)
  loss <- -log(1 - g$lost) / 12
  end <- g$accrual + g$follow
  G <- function(t) pmin(1, (end - t) / g$accrual) * exp(-loss * t)
  int <- function(f, to = end) {
    cut <- min(g$follow, to)
    part <- function(a, b) if (b > a) integrate(f, a, b, rel.tol = 1e-10, subdivisions = 2000)$value else 0
    part(0, cut) + part(cut, to)
  }
  p0 <- int(function(t) G(t) * S1(t) * h0(t))
  p1 <- hr * p0
  p00 <- int(function(t) G(t) * S1(t) * H0(t) * h0(t))
  p01 <- hr * p00
  s <- sqrt(p1 - p1^2 + 2 * p00 - p0^2 - 2 * p01 + 2 * p0 * p1)
  za <- qnorm(1 - alpha)
  zb <- qnorm(1 - beta)
  at <- min(10, 0.8 * end)
  v <- S1(at)^2 * int(function(t) hr * h0(t) / (G(t) * S1(t)), at)
  loglog <- function(s) -log(-log(s))
  slope <- -1 / (S1(at) * log(S1(at)))
  S0at <- exp(-H0(at))
  area <- function(S, a, b) integrate(S, a, b, rel.tol = 1e-11)$value
  gain <- area(S1, 0, at) - area(function(t) exp(-H0(t)), 0, at)
  w <- int(function(t) vapply(t, function(x) area(S1, x, at), 0)^2 * hr * h0(t) / (G(t) * S1(t)), at)
  c(as.list(g), list(
    lambda = 0.08, hazard_ratio = hr, alpha = alpha, beta = beta, loss = loss, at = at,
    wu_2015 = (sqrt(p0) * za + s * zb)^2 / (p0 - p1)^2, wu_2014 = (sqrt((p0 + p1) / 2) * za + s * zb)^2 / (p0 - p1)^2,
    landmark = ((za + zb) * sqrt(v) * slope / (loglog(S1(at)) - loglog(S0at)))^2, landmark_error = sqrt(v),
    rmst = ((za + zb) * sqrt(w) / gain)^2, rmst_error = sqrt(w)
  ))
})

# The exact test: events by chi-square.
exact <- lapply(c(0.4, 0.5, 0.6, 0.7), function(hr) {
  d <- 1:500
  power <- 1 - pchisq(hr * qchisq(0.95, 2 * d), 2 * d)
  first <- which(power >= 0.8)[1]
  list(hazard_ratio = hr, alpha = 0.05, beta = 0.2, events = first, power = power[first], critical = qchisq(0.95, 2 * first) / 2)
})

out <- list(
  meta = list(R = as.character(getRversion()), survival = as.character(packageVersion("survival")), rpact = as.character(packageVersion("rpact"))),
  one_sample = one_sample, events = events, designs = designs, exact = exact
)
writeLines(toJSON(out, auto_unbox = TRUE, digits = I(12)), file.path(HERE, "design_survival.json"))
