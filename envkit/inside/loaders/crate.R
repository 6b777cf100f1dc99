# Runs a model of R's flavor `crate`. Started as `Rscript crate.R MODEL QUESTIONS ANSWERS` by `crate.py` beside it.
#
# MODEL is the file of the model: an RDS file of a function, or of the bytes of one, as `mlflow_save_model` writes it.
# QUESTIONS and ANSWERS are pipes; each question and each answer is one line of JSON in UTF-8. What the model prints
# goes elsewhere. Needs R 3.3 and jsonlite. When the model has loaded, `ready` is told, or `error`. Then it is asked:
#
#   {"ask": "take", "form", …}   data for the next prediction; `ready` or `error` is told
#       form "columns": names, columns (an object: "1", "2", … -> values), rows (how many): a data frame
#       form "value":   value: a vector, a matrix, or a list
#       form "csv":     text: a data frame, as `read.csv` reads it
#   {"ask": "predict", "params"}  predict on them, with named arguments in `params`; `answer` or `error` is told
#
# and tells, by the key "event": `ready`; `answer` with `value`; `error` with class, message, call (its text) and
# calls (the names of the functions that were at work, outermost first).

local({
  arguments <- commandArgs(trailingOnly = TRUE)
  questions <- file(arguments[[2]], "rb", raw = TRUE)
  answers <- file(arguments[[3]], "wb", raw = TRUE)
  options(warn = 1)  # warnings are printed when they come

  tell <- function(line) {
    writeLines(enc2utf8(as.character(line)), answers, useBytes = TRUE)
    flush(answers)
  }

  ready <- function() '{"event":"ready"}'

  # Full precision of jsonlite: 15 digits. Vectors stay lists, however short, as when MLflow's `predict` writes them.
  as_json <- function(value) {
    if (is.function(value)) stop("the model's answer is a function, which has no form in JSON", call. = FALSE)
    jsonlite::toJSON(value, digits = NA, na = "null", null = "null", rownames = FALSE, POSIXt = "ISO8601", UTC = TRUE)
  }

  named <- function(calls) {
    own <- which(vapply(calls, function(each) identical(each[[1]], quote(withCallingHandlers)), NA))
    inner <- if (length(own)) utils::tail(calls, -own[[1]]) else calls
    names <- vapply(inner, function(each) substr(deparse(each[[1]])[[1]], 1, 50), "")
    setdiff(utils::head(names, 20), c("eval", "stop", ".handleSimpleError", "h"))
  }

  told_of <- function(error, calls) {
    call <- conditionCall(error)
    jsonlite::toJSON(list(
      event = jsonlite::unbox("error"),
      class = jsonlite::unbox(class(error)[[1]]),
      message = jsonlite::unbox(enc2utf8(conditionMessage(error))),
      call = jsonlite::unbox(if (is.null(call)) "" else enc2utf8(substr(deparse(call)[[1]], 1, 200))),
      calls = enc2utf8(named(calls))
    ))
  }

  # Gives what is to be told: the value of the expression, or of what it raised.
  attempt <- function(expression) {
    calls <- list()
    tryCatch(
      withCallingHandlers(expression, error = function(error) calls <<- sys.calls()),
      error = function(error) told_of(error, calls)
    )
  }

  loaded <- function(path) {
    found <- readRDS(path)
    if (is.raw(found)) found <- unserialize(found)
    if (!is.function(found)) stop("the model is no function, its class is ", class(found)[[1]], call. = FALSE)
    found
  }

  data_frame <- function(question) {
    columns <- lapply(seq_along(question$names), function(place) {
      column <- question$columns[[as.character(place)]]
      if (question$rows == 0) logical() else column
    })
    names(columns) <- question$names
    structure(columns, class = "data.frame", row.names = .set_row_names(question$rows))
  }

  taken <- function(question) {
    switch(question$form,
      columns = data_frame(question),
      value = question$value,
      csv = utils::read.csv(text = question$text)
    )
  }

  scope <- new.env(parent = baseenv())
  line <- attempt({
    scope$model <- loaded(arguments[[1]])
    ready()
  })
  repeat {
    tell(line)
    asked <- readLines(questions, 1, encoding = "UTF-8")
    if (length(asked) == 0) break
    question <- jsonlite::fromJSON(asked)
    line <- attempt(if (question$ask == "take") {
      scope$data <- taken(question)
      ready()
    } else {
      call <- as.call(c(list(quote(model), quote(data)), question$params))
      value <- eval(call, scope)
      paste0('{"event":"answer","value":', as_json(value), "}")
    })
  }
})
