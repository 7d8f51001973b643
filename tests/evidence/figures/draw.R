# Figures of R that tests/evidence/test_curve_figures.py reads: the curves of lung (R's survival, LGPL) by sex, as PDF, PNG and SVG.
#
#   Rscript tests/evidence/figures/draw.R [--out tests/evidence/figures]
#
# Run from the root of the repository. The truth of the same curves stands in tests/oracle/curves.json (key lung; sex 1 is blue, 2 is red).

suppressPackageStartupMessages(library(survival))

args <- commandArgs(trailingOnly = TRUE)
OUT <- if ("--out" %in% args) args[match("--out", args) + 1] else "tests/evidence/figures"

draw <- function(...) {
  fit <- survfit(Surv(time, status) ~ sex, data = cancer)
  plot(fit, col = c("blue", "red"), xlab = "Days", ylab = "Survival", ...)
}

pdf(file.path(OUT, "r_lung.pdf"), width = 7, height = 5)
draw(mark.time = TRUE)
invisible(dev.off())

svg(file.path(OUT, "r_lung.svg"), width = 7, height = 5)
draw(mark.time = TRUE)
invisible(dev.off())

# marks that are letters, and numbers at risk in the margin
letters <- function(name, ...) {
  pdf(file.path(OUT, name), width = 7, height = 5.5)
  par(mar = c(8, 7, 2, 1))
  draw(mark.time = TRUE, ...)
  at <- 200 * 0:5
  risk <- matrix(summary(survfit(Surv(time, status) ~ sex, data = cancer), times = at, extend = TRUE)$n.risk, ncol = 2)
  for (k in 1:2) {
    mtext(risk[, k], side = 1, at = at, line = 3.5 + 1.5 * k)
    mtext(c("Men", "Women")[k], side = 1, at = -150, line = 3.5 + 1.5 * k)
  }
  invisible(dev.off())
}
letters("r_plus.pdf", pch = "+")
letters("r_bars.pdf", mark = "|")

# no marks of censoring; the axes are calibrated by the places of their ends, which are printed
png(file.path(OUT, "r_lung.png"), width = 1000, height = 600, type = "cairo")
draw(mark.time = FALSE, lwd = 2)
place <- function(v, axis) if (axis == "x") grconvertX(v, "user", "device") else grconvertY(v, "user", "device")
cat("x: 0 at", place(0, "x"), ", 1000 at", place(1000, "x"), "\n")
cat("y: 0 at", place(0, "y"), ", 1 at", place(1, "y"), "\n")
invisible(dev.off())
