/** Versions that stored models name; a test holds them to what `infra/prepare` installs. */
export const MLFLOW_VERSION = '3.17.2';
export const XGBOOST_VERSION = '3.2.0';
