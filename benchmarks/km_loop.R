# R's survfit + quantile looped over trials: the yardstick for the batch estimator.
#
#   Rscript benchmarks/km_loop.R trials.csv [medians.csv]
#
# trials.csv: trial, time, event (1 = event), rows in any order. medians.csv: trial, median, lower, upper (log-log, 95 %).
# Prints one line of JSON. seconds: splitting by trial and the loop; the model fits alone are seconds_loop.
# Reading and writing the files is not timed.

suppressPackageStartupMessages(library(survival))

args <- commandArgs(trailingOnly = TRUE)
if (length(args) < 1) stop("give the CSV of trial,time,event")
d <- read.csv(args[1])

start <- proc.time()[["elapsed"]]
parts <- split(d[c("time", "event")], d$trial)
loop <- proc.time()[["elapsed"]]
rows <- vapply(parts, function(p) {
  q <- quantile(survfit(Surv(time, event) ~ 1, data = p, conf.type = "log-log"), 0.5)
  c(q$quantile[[1]], q$lower[[1]], q$upper[[1]])
}, numeric(3))
end <- proc.time()[["elapsed"]]

if (length(args) > 1) {
  out <- data.frame(trial = names(parts), median = rows[1, ], lower = rows[2, ], upper = rows[3, ])
  write.csv(out, args[2], row.names = FALSE, na = "", quote = FALSE)
}
cat(sprintf(
  '{"trials": %d, "rows": %d, "seconds": %.3f, "seconds_loop": %.3f, "ms_per_trial": %.4f, "R": "%s", "survival": "%s"}\n',
  length(parts), nrow(d), end - start, end - loop, 1000 * (end - start) / length(parts), getRversion(), packageVersion("survival")
))
