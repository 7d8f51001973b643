# R's figures of weighted patients for the tests of cartrial, and for `cartrial qualify`.
#
#   Rscript tests/oracle/weighted.R      writes tests/oracle/weighted.json from tests/oracle/data/weighted.csv, which is invented
#
# Run from the root of the repository. 13 significant digits.

suppressPackageStartupMessages(library(survival))
# JSON of named lists of numbers and words, without a package for it
json <- function(x) {
  if (is.list(x)) return(paste0("{", paste0('"', names(x), '": ', vapply(x, json, ""), collapse = ", "), "}"))
  text <- if (is.character(x)) paste0('"', x, '"') else formatC(unname(x), digits = 13, format = "g")
  if (length(text) == 1) text else paste0("[", paste(text, collapse = ", "), "]")
}
d <- read.csv("tests/oracle/data/weighted.csv")
tight <- coxph.control(eps = 1e-13, iter.max = 100)
hazard <- function(w) {
  fit <- coxph(Surv(time, event) ~ arm, d, weights = w, robust = TRUE, ties = "efron", control = tight)
  list(coef = unname(coef(fit)), robust = sqrt(fit$var[1, 1]), naive = sqrt(fit$naive.var[1, 1]))
}

# propensity: odds for those who are to be like the treated, overlap for those who could be either
score <- fitted(glm(arm ~ age + male + ecog, binomial, d, control = glm.control(epsilon = 1e-14, maxit = 100)))
treated <- ifelse(d$arm == 1, 1, score / (1 - score))
overlap <- ifelse(d$arm == 1, 1 - score, score)
own <- d$arm == 1
at <- c(3, 6, 12, 18)
curve <- function(rows, w) summary(survfit(Surv(time, event) ~ 1, d[rows, ], weights = w[rows]), times = at, extend = TRUE)$surv

# moments: weights exp(a'(x - target)) at their smallest sum (Signorovitch 2010)
x <- cbind(d$age - 42, d$male - 0.55)[own, ]
scale <- c(10, 1)
z <- sweep(x, 2, scale, "/")
best <- optim(c(0, 0), function(a) sum(exp(z %*% a)), function(a) colSums(z * c(exp(z %*% a))), method = "BFGS",
              control = list(reltol = 1e-16, maxit = 1000))
a <- best$par
for (i in 1:20) {
  e <- c(exp(z %*% a))
  a <- a - solve(t(z) %*% (z * e), colSums(z * e))
}
matched <- c(exp(z %*% a))

ratio <- hazard(d$weight)
out <- list(
  meta = list(R = paste(R.version$major, R.version$minor, sep = "."), survival = as.character(packageVersion("survival"))),
  at = at,
  hazard = ratio,
  hazard_treated = hazard(treated),
  hazard_overlap = hazard(overlap),
  propensity = list(treated = treated, overlap = overlap),
  survival_own = curve(own, d$weight),
  survival_other = curve(!own, d$weight),
  moments = list(weights = matched, effective = sum(matched)^2 / sum(matched^2), rate = weighted.mean(d$response[own], matched))
)
writeLines(json(out), "tests/oracle/weighted.json")
