# Matching and its hazard ratio resampled in R, one draw after the other: the yardstick of benchmarks/evidence.py.
#
#   Rscript benchmarks/maic_loop.R patients.csv others.csv targets.csv RESAMPLES
#
# patients.csv: time, event and the covariates; others.csv: time, event; targets.csv: one row of the covariates' means.
# Weights by BFGS on the sum of exp(a'(x - target)), then coxph with weights. Prints one line of JSON: processor seconds of the loop, its spread.

suppressPackageStartupMessages(library(survival))
args <- commandArgs(trailingOnly = TRUE)
own <- read.csv(args[1]); other <- read.csv(args[2]); target <- unlist(read.csv(args[3])); resamples <- as.integer(args[4])
x <- sweep(as.matrix(own[, names(target)]), 2, target)
weigh <- function(z) {
  scaled <- sweep(z, 2, apply(z, 2, sd), "/")
  fit <- optim(rep(0, ncol(z)), function(a) sum(exp(scaled %*% a)), function(a) colSums(sweep(scaled, 1, exp(scaled %*% a), "*")),
               method = "BFGS", control = list(maxit = 300))
  as.vector(exp(scaled %*% fit$par))
}
set.seed(1)
start <- sum(proc.time()[1:2])
logs <- replicate(resamples, {
  i <- sample(nrow(own), replace = TRUE); j <- sample(nrow(other), replace = TRUE)
  d <- rbind(data.frame(own[i, c("time", "event")], arm = 1, w = weigh(x[i, , drop = FALSE])),
             data.frame(other[j, ], arm = 0, w = 1))
  coef(coxph(Surv(time, event) ~ arm, data = d, weights = w))[[1]]
})
seconds <- sum(proc.time()[1:2]) - start
cat(sprintf('{"seconds": %.3f, "error": %.4f}\n', seconds, sd(logs)))
