/**
 * Every error of DataLab has a code from this table, says what happened and where, and what to do about it.
 * `docs/reference/errors.md` lists the table; a test keeps the two equal. `retry` tells Temporal whether trying the
 * same thing again may help.
 */
export const ERRORS = {
  CONFIG_INVALID: {
    retry: false,
    remedy: 'Correct the keys named in the message: in datalab.yaml, or in the variable that it names.',
  },
  DATASET_UNKNOWN: {
    retry: false,
    remedy: 'Run `datalab datasets list` to see the datasets; check `datasets.directory`.',
  },
  DATASET_INVALID: {
    retry: false,
    remedy: 'Correct the keys named in the message; `datalab datasets validate` checks the folder.',
  },
  MODEL_UNKNOWN: {
    retry: false,
    remedy: 'Run `datalab models list` to see the models; each is a file in `datasets/<dataset>/models/`.',
  },
  MODEL_INVALID: {
    retry: false,
    remedy: 'Correct the keys named in the message in the file of the model.',
  },
  MODEL_CHANGED: {
    retry: false,
    remedy: 'The file of the model was edited while a run was under way. Start the run again.',
  },
  MODEL_COLUMNS_MISSING: {
    retry: false,
    remedy:
      'Correct the expressions of the model, or the SQL of its Gold table: `datalab tables show gold.<table>` lists the columns.',
  },
  MODEL_TABLE_MISSING: {
    retry: false,
    remedy: 'Run the dataset first (`datalab runs start <dataset>`), or name a version that the table has.',
  },
  MODEL_ROWS_TOO_FEW: {
    retry: false,
    remedy: 'Wait for more data, or lower `splits.minRows`, the windows or the number of folds.',
  },
  MODEL_TARGET_CONSTANT: {
    retry: false,
    remedy: 'There is nothing to learn: correct `target.expression`, or wait for data in which it varies.',
  },
  MODEL_VALUES_NOT_FINITE: {
    retry: false,
    remedy: 'Make the expression named in the message finite or NULL, as with greatest() or nullif().',
  },
  MODEL_CLASS_UNKNOWN: {
    retry: false,
    remedy: 'Add the class to `target.classes`, or make `target.expression` say one of them, or NULL.',
  },
  MODEL_ENGINE_MISSING: {
    retry: false,
    remedy:
      'Prepare MLflow (`infra/prepare/mlflow.sh`), which brings the library, or set `ml.xgboostLibrary`.',
  },
  MODEL_ENGINE_FAILED: {
    retry: false,
    remedy: 'Read the message of the training process; check the parameters of the candidate.',
  },
  MODEL_PROCESS_LOST: {
    retry: true,
    remedy:
      'The training process ended by itself: where the kernel did it for want of memory, lower `limits.mlops.memoryGb`.',
  },
  MODEL_MEMORY_EXCEEDED: {
    retry: false,
    remedy:
      'Raise `limits.mlops.memoryGb`, lower `worker.concurrency.ml`, which shares it, or train on less: a Gold table of fewer rows, fewer features, lower `trees` and `max_depth`.',
  },
  MODEL_UNREADABLE: {
    retry: false,
    remedy:
      'The stored model is not one that DataLab wrote: train it again, or roll back (`datalab models rollback`).',
  },
  MODEL_PARITY: {
    retry: false,
    remedy:
      'The model predicts otherwise here than where it was trained: it is not deployed. Train it again; tell the authors.',
  },
  MODEL_ALIAS_MOVED: {
    retry: false,
    remedy: 'Somebody moved the alias meanwhile: look at `datalab models show <model>` and decide anew.',
  },
  MODEL_VERSION_UNKNOWN: {
    retry: false,
    remedy: 'Run `datalab models show <model>` to see its versions.',
  },
  MODEL_NOT_SERVED: {
    retry: false,
    remedy:
      'Ask `GET /models` which models are served: one is as soon as a version of it is the champion (`datalab models promote`).',
  },
  MODEL_SERVER_UNAVAILABLE: {
    retry: true,
    remedy:
      'Start it (`./manage.sh start --only model-server`) or set `modelServer.url`; `./manage.sh logs model-server` says more.',
  },
  MODEL_SERVER_BEHIND: {
    retry: true,
    remedy:
      'The model server does not serve the champion: `./manage.sh logs model-server` and its `GET /models` say why.',
  },
  PREDICTION_KEY_UNKNOWN: {
    retry: false,
    remedy: 'Ask for keys that the Gold table of the model has: `GET /models` names the table and its keys.',
  },
  PREDICTION_FEATURE_MISSING: {
    retry: false,
    remedy:
      'Give every feature a number. The model was trained on complete rows (`missing: drop`), so it says nothing of others.',
  },
  MLFLOW_OFF: {
    retry: false,
    remedy: 'Switch it on (`mlflow.enabled: true`): models are kept in MLflow.',
  },
  MLFLOW_UNAVAILABLE: {
    retry: true,
    remedy:
      'Start it (`./manage.sh start`) or set `mlflow.trackingUri`; `./manage.sh health` shows what answers.',
  },
  MLFLOW_REFUSED: {
    retry: false,
    remedy: 'Read what MLflow says in the message.',
  },
  TABLE_UNKNOWN: {
    retry: false,
    remedy: 'Run `datalab tables list` to see the tables; a run of a dataset creates its own.',
  },
  EVENTS_UNAVAILABLE: {
    retry: true,
    remedy:
      'Nothing is lost: the events stay in the tables. Start Kafka (`./manage.sh start`) and the next run sends them.',
  },
  TEMPORAL_UNAVAILABLE: {
    retry: true,
    remedy:
      'Start it (`./manage.sh start`) or set TEMPORAL_ADDRESS; `./manage.sh health` shows what answers.',
  },
  PORT_TAKEN: {
    retry: false,
    remedy: 'Stop the program that holds the port, or set the variable named in the message to a free port.',
  },
  TOOL_MISSING: {
    retry: false,
    remedy: 'Run `./manage.sh start`, which prepares what this machine can have and says what it cannot.',
  },
  SERVICE_FAILED: {
    retry: false,
    remedy: 'Read the service log named in the message (`./manage.sh logs <service>`).',
  },
  STATE_INVALID: {
    retry: false,
    remedy: 'Correct or delete the file named in the message, then `./manage.sh restart`.',
  },
  DISK_FULL: {
    retry: false,
    remedy: 'Free space, or set DATALAB_STATE_DIR to a folder on another disk.',
  },
  SCHEDULE_UNKNOWN: {
    retry: false,
    remedy:
      'Run `datalab schedules list` to see them, or `datalab schedules apply` to create those of the configuration.',
  },
  FLOW_BUSY: {
    retry: true,
    remedy: 'Wait for the run that is going on, or cancel it: `datalab runs cancel <workflow>`.',
  },
  RETRY_UNSUITED: {
    retry: false,
    remedy: 'Start a run with the same input instead: `datalab runs retry <workflow> --fresh`.',
  },
  BACKUP_BUSY: {
    retry: false,
    remedy:
      'Wait for it: one backup or restore is made at a time. `datalab backup list` shows those that there are.',
  },
  BACKFILL_UNSUITED: {
    retry: false,
    remedy:
      'Only runs of datasets are for a logical time. `datalab schedules trigger` starts the flow once, now.',
  },
  BACKFILL_RUNNING: {
    retry: false,
    remedy: 'Wait for it, or stop it with `datalab runs cancel <workflow>`; what it has done stays.',
  },
  BACKFILL_FAILED: {
    retry: false,
    remedy:
      'The code in the message says what to mend. Starting the backfill again goes on with what is still owed.',
  },
  RULE_UNKNOWN: {
    retry: false,
    remedy: 'Run `datalab alerts rules`: only rules with the origin `override` can be reset.',
  },
  ALERT_UNKNOWN: {
    retry: false,
    remedy: 'Run `datalab alerts list` to see what is open and which silences there are.',
  },
  ENGINE_OUT_OF_MEMORY: {
    retry: true,
    remedy: 'Raise the engine memory in `datalab.yaml`, or lower how many heavy steps a worker runs at once.',
  },
  ENGINE_SQL_FAILED: {
    retry: false,
    remedy:
      'Correct the SQL named in the message; `datalab datasets validate` parses the SQL of every dataset.',
  },
  ENGINE_ACCESS_DENIED: {
    retry: false,
    remedy: 'SQL may read only the tables that it is given: name them as `layer.table` and read no files.',
  },
  ENGINE_NOT_A_SELECT: {
    retry: false,
    remedy: 'Write one single SELECT, without parameters and without a semicolon.',
  },
  ENGINE_TYPE_UNSUPPORTED: {
    retry: false,
    remedy: 'Cast the column to a type that Delta tables have, as in CAST(total AS BIGINT).',
  },
  ENGINE_IO_FAILED: {
    retry: true,
    remedy: 'Check that the disk of the work folder has room and that nobody cleans it while steps run.',
  },
  STAGING_MISSING: {
    retry: false,
    remedy:
      'Somebody deleted files below `_staging/` while a run went on. Nothing was published; trigger the run again.',
  },
  STAGING_EXPIRED: {
    retry: false,
    remedy:
      'The run stood still for days. Nothing was published; trigger it again, it writes the files anew.',
  },
  PUBLISH_CONTENDED: {
    retry: true,
    remedy:
      'Many writers publish to one table at once. It is tried again by itself; if it lasts, run fewer at a time.',
  },
  QUALITY_BLOCKED: {
    retry: false,
    remedy:
      'Nothing was published. Correct the source, or the check in dataset.yaml, and trigger the run again.',
  },
  PUBLISH_STARVED: {
    retry: false,
    remedy:
      'Other runs of the dataset published first, again and again. Let them finish and trigger the run again.',
  },
  DATASET_CHANGED: {
    retry: true,
    remedy:
      'What is published stays and is whole. Trigger the run again: it follows the new definition from the start.',
  },
  STORE_REFUSED: {
    retry: false,
    remedy:
      'Check that the bucket exists and that the keys may read, list, write and delete in it; `./manage.sh health` asks.',
  },
  STORE_UNAVAILABLE: {
    retry: true,
    remedy: 'Nothing is lost. Start the S3 endpoint or check AWS_ENDPOINT_URL; it is tried again by itself.',
  },
  PROBE_TIMEOUT: {
    retry: false,
    remedy:
      'The next cycle asks again. Look at what the probe asks (`datalab monitoring run`), or raise monitoring.probeTimeoutSeconds.',
  },
  ACCESS_REFUSED: {
    retry: false,
    remedy:
      'Sign in to the dashboard with a user that may do this; `datalab dashboard link` makes a one-time link for an administrator.',
  },
  FLOWS_IDLE: {
    retry: true,
    remedy: 'Start a worker for the pool `flows` (`./manage.sh start`, or `npm run worker -- --pool flows`).',
  },
  RUN_UNKNOWN: { retry: false, remedy: 'Run `datalab runs list` to see the runs that Temporal still keeps.' },
  REPORT_MISSING: {
    retry: false,
    remedy:
      'Wait for the end of the run; where it has ended, `datalab runs logs <workflow> --step writeReport` says why.',
  },
  INPUT_INVALID: {
    retry: false,
    remedy: 'Start the flow with the input that docs/reference/flows.md shows.',
  },
  BACKUP_NOT_CONFIGURED: {
    retry: false,
    remedy: 'Set `maintenance.backup.uri` in datalab.yaml to another bucket, prefix or folder.',
  },
  BACKUP_UNKNOWN: {
    retry: false,
    remedy: 'Run `datalab backup list` to see the backups and what they hold.',
  },
  BACKUP_OUTDATED: {
    retry: false,
    remedy:
      'Make a backup first: `datalab backup create`. Then files that left their table before it may go.',
  },
  BACKUP_DAMAGED: {
    retry: false,
    remedy:
      'Restore from another backup (`datalab backup list`, then `verify`). Find out what changed the file named in the message: nobody else may write where backups are.',
  },
  BACKUP_SOURCE_DAMAGED: {
    retry: false,
    remedy: 'Run `datalab tables fsck` on the table, and restore it from a backup where files are damaged.',
  },
  RESTORE_TARGET_EXISTS: {
    retry: false,
    remedy:
      'Restore never overwrites a table: restore with `--into` another lake, or move what is there out of the way first.',
  },
  SOURCE_NOT_FOUND: {
    retry: false,
    remedy:
      'Check `source.location` of the dataset: a file, a glob, s3://bucket/prefix with a glob, an https:// address, or kafka://topic.',
  },
  SOURCE_CHANGED: {
    retry: false,
    remedy:
      'Nothing to do where a writer was at work: the run lists its sources again. Else write sources under a temporary name and rename.',
  },
  SOURCE_UNREACHABLE: {
    retry: true,
    remedy:
      'Check that the S3 endpoint, the Kafka broker (`./manage.sh health`) or the web server answers, and that the credentials may list and read there.',
  },
  SOURCE_MESSAGES_LOST: {
    retry: false,
    remedy:
      'Kafka deleted messages that no run had read; nothing of them is taken as read. To go on without them, give the dataset another name, which begins with what the topic has now; run datasets on topics more often than their retention.',
  },
  SOURCE_TOPIC_RENEWED: {
    retry: false,
    remedy:
      'The topic was made anew, or lost its end, under a dataset that had read further. Give the dataset another name, which begins with what the topic has now; the rows that were read stay in their tables.',
  },
  SOURCE_HEADER_MISMATCH: {
    retry: false,
    remedy:
      'Compare the header with `columns` (names and delimiter); mark a column `required: false` where sources may lack it.',
  },
  SILVER_COLUMNS_MISSING: {
    retry: false,
    remedy: "Select the columns named in the message in the dataset's silver.sql.",
  },
  SILVER_HISTORY_UNFIT: {
    retry: false,
    remedy:
      'Nothing was published. Make the definition fit the old rows, bring Bronze back from a backup, or accept the loss: `datalab runs start <dataset> --rebuild --accept-loss`.',
  },
  LEDGER_UNBALANCED: {
    retry: false,
    remedy:
      'Nothing was published. Where silver.sql filters or joins, let it return every Bronze row exactly once.',
  },
  ROW_UNSUPPORTED: {
    retry: false,
    remedy:
      'Give the column named in the message a type and values that rows can carry, or open the table with an engine (docs/guides/delta.md). In a flow of DataLab this is a bug.',
  },
} as const satisfies Record<string, ErrorEntry>;

interface ErrorEntry {
  readonly retry: boolean;
  readonly remedy: string;
}

export type ErrorCode = keyof typeof ERRORS;

/** An error of DataLab: a code from {@link ERRORS}, what happened, and where. */
export class DatalabError extends Error {
  override readonly name = 'DatalabError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  get retry(): boolean {
    return ERRORS[this.code].retry;
  }

  get remedy(): string {
    return ERRORS[this.code].remedy;
  }
}
