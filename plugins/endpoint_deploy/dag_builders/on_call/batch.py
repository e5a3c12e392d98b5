"""The tasks of the batch transform DAG."""

from endpoint_deploy.dag_builders.on_call.task_doc import TaskDoc

BATCH = {
    "resolve_batch": TaskDoc(
        "Lists the files below the input prefix and finds the release's model. What was delivered before is "
        "left out.",
        "there is no file, or the release, its configuration or its model is gone. Nothing was predicted.",
        "the log says which, and what to name in the form of a new run instead.",
    ),
    "check_input": TaskDoc(
        "Reads every file: text, rows of one length or valid JSON, then the input suite. Counts the rows. A "
        "file that is not fit is set aside, with its line and what was expected there; the others go on.",
        "the files could not be read or judged at all. Nothing was predicted.",
        "see to the bucket, the worker's rights or the suite that the log names, then clear this task. Have "
        "a file that was set aside mended and put there again: it is another input version then.",
    ),
    "transform": TaskDoc(
        "Runs the transform job over the fit files and waits for it without holding a worker. A file that "
        "the model refuses leaves no output; why is read from the job's data log. The others go on.",
        "no file has an output, or the job could not run, or it took too long. Nothing was delivered.",
        "the error names the job's log group: read what the model said. Without capacity, clear this task "
        "later; it goes on with the job where there is one.",
    ),
    "check_output": TaskDoc(
        "Holds the predictions against their rows, exactly one each, then runs the output suite over them. "
        "A file whose predictions are not fit is set aside; the others go on.",
        "the predictions could not be read or judged at all. Nothing was delivered.",
        "see to what the log names, then clear this task: nothing is predicted twice.",
    ),
    "deliver": TaskDoc(
        "Copies the predictions that passed, then writes `_DELIVERED.json`: what it does not name does not "
        "count.",
        "the output prefix could not be written. Whoever reads by `_DELIVERED.json` sees nothing of it.",
        "see to the bucket or the worker's rights, then clear this task: it writes the same files.",
    ),
    "record_batch": TaskDoc(
        "Writes to the batch records what was delivered and what was set aside, whatever happened.",
        "the store in S3 could not be read or written. What was delivered stays delivered.",
        "see to the bucket or the worker's rights, then clear this task.",
    ),
}
