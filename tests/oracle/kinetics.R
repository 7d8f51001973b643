# Exact and approximate fits of nonlinear mixed models, for tests/kinetics. Rscript tests/oracle/kinetics.R > tests/oracle/kinetics_r.json
# Orange with a random asymptote is linear in it, so the Laplace approximation of nlmer (nAGQ = 1) is exact.
suppressPackageStartupMessages({library(lme4); library(nlme); library(jsonlite)})
orange <- as.data.frame(datasets::Orange)
fit <- nlmer(circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree, orange, start = c(Asym = 200, xmid = 725, scal = 350),
             nAGQ = 1)
theoph <- as.data.frame(datasets::Theoph)
approximate <- nlme(conc ~ SSfol(Dose, Time, lKe, lKa, lCl), data = Theoph, fixed = lKe + lKa + lCl ~ 1,
                    random = pdDiag(lKa + lCl ~ 1), start = c(lKe = -2.4, lKa = 0.5, lCl = -3.2), method = "ML")
out <- list(
  versions = list(R = as.character(getRversion()), lme4 = as.character(packageVersion("lme4")), nlme = as.character(packageVersion("nlme"))),
  orange = list(
    nlmer = list(asym = fixef(fit)[["Asym"]], xmid = fixef(fit)[["xmid"]], scal = fixef(fit)[["scal"]],
                 omega = attr(VarCorr(fit)$Tree, "stddev")[[1]], sigma = sigma(fit), loglik = as.numeric(logLik(fit)))),
  theoph = list(
    nlme = list(lke = fixef(approximate)[["lKe"]], lka = fixef(approximate)[["lKa"]], lcl = fixef(approximate)[["lCl"]],
                sigma = approximate$sigma, loglik = as.numeric(logLik(approximate)))))
cat(toJSON(out, auto_unbox = TRUE, digits = 10, pretty = TRUE), "\n")
