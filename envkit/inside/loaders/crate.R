# Runs a model of R's flavor `crate`: `Rscript crate.R MODEL QUESTIONS ANSWERS`, started by `crate.py`.
#
# MODEL is the model file: an RDS file of a function, or of the bytes of one, as `mlflow_save_model`
# writes it. QUESTIONS and ANSWERS are pipes; each question and each answer is one line of JSON in
# UTF-8. What the model prints does not go there. Needs R 3.3 and jsonlite.
#
# When the model has loaded, the program answers `ready`, or `error`. Then the questions are:
#
#   {"ask": "take", "form", …}    data for the next prediction; answered by `ready` or `error`
#       form "columns": names, columns (an object: "1", "2", … -> values), rows: a data frame
#       form "value":   value: a vector, a matrix, or a list
#       form "csv":     text: a data frame, as `read.csv` reads it
#   {"ask": "predict", "params"}  predict on them, with the named arguments in `params`; answered by
#                                 `answer` or `error`
#
# An answer has the key "event": `ready`; `answer` with `value`; `error` with class, message, call (its
# text) and calls (the names of the functions that were running, outermost first).

local({
  arguments <- commandArgs(trailingOnly = TRUE)
  questions <- file(arguments[[2]], "rb", raw = TRUE)
  answers <- file(arguments[[3]], "wb", raw = TRUE)
  options(warn = 1)  # warnings are printed when they come

  write_answer <- function(line) {
    writeLines(enc2utf8(as.character(line)), answers, useBytes = TRUE)
    flush(answers)
  }

  ready <- function() '{"event":"ready"}'

  # With the full precision of jsonlite, 15 digits. Vectors stay lists, however short, as MLflow's
  # `predict` writes them.
  as_json <- function(value) {
    if (is.function(value)) {
      stop("the model's answer is a function, which has no JSON form", call. = FALSE)
    }
    jsonlite::toJSON(
      value,
      digits = NA, na = "null", null = "null", rownames = FALSE, POSIXt = "ISO8601", UTC = TRUE
    )
  }

  # The names of the model's functions in a stack of calls.
  names_of <- function(calls) {
    is_own <- vapply(calls, function(call) identical(call[[1]], quote(withCallingHandlers)), NA)
    own <- which(is_own)
    inner <- if (length(own)) utils::tail(calls, -own[[1]]) else calls
    names <- vapply(inner, function(call) substr(deparse(call[[1]])[[1]], 1, 50), "")
    setdiff(utils::head(names, 20), c("eval", "stop", ".handleSimpleError", "h"))
  }

  error_event <- function(error, calls) {
    call <- conditionCall(error)
    text <- if (is.null(call)) "" else enc2utf8(substr(deparse(call)[[1]], 1, 200))
    jsonlite::toJSON(list(
      event = jsonlite::unbox("error"),
      class = jsonlite::unbox(class(error)[[1]]),
      message = jsonlite::unbox(enc2utf8(conditionMessage(error))),
      call = jsonlite::unbox(text),
      calls = enc2utf8(names_of(calls))
    ))
  }

  # Gives the value of the expression, or the event of its error.
  attempt <- function(expression) {
    calls <- list()
    tryCatch(
      withCallingHandlers(expression, error = function(error) calls <<- sys.calls()),
      error = function(error) error_event(error, calls)
    )
  }

  load_model <- function(path) {
    model <- readRDS(path)
    if (is.raw(model)) model <- unserialize(model)
    if (!is.function(model)) {
      stop("the model is not a function, but of the class ", class(model)[[1]], call. = FALSE)
    }
    model
  }

  data_frame <- function(question) {
    columns <- lapply(seq_along(question$names), function(place) {
      column <- question$columns[[as.character(place)]]
      if (question$rows == 0) logical() else column
    })
    names(columns) <- question$names
    structure(columns, class = "data.frame", row.names = .set_row_names(question$rows))
  }

  data_of <- function(question) {
    switch(question$form,
      columns = data_frame(question),
      value = question$value,
      csv = utils::read.csv(text = question$text)
    )
  }

  scope <- new.env(parent = baseenv())
  line <- attempt({
    scope$model <- load_model(arguments[[1]])
    ready()
  })
  repeat {
    write_answer(line)
    text <- readLines(questions, 1, encoding = "UTF-8")
    if (length(text) == 0) break
    question <- jsonlite::fromJSON(text)
    line <- attempt(if (question$ask == "take") {
      scope$data <- data_of(question)
      ready()
    } else {
      call <- as.call(c(list(quote(model), quote(data)), question$params))
      value <- eval(call, scope)
      paste0('{"event":"answer","value":', as_json(value), "}")
    })
  }
})
