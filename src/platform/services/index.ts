/** The services of the platform, in the order in which people think of them. */
import type { ServiceDefinition, ServiceName } from './definition.js';
import { dashboardService } from './dashboard.js';
import { kafkaService } from './kafka.js';
import { mlflowService } from './mlflow.js';
import { modelServerService } from './model-server.js';
import { s3Service } from './s3.js';
import { temporalService } from './temporal.js';
import { workerService } from './worker.js';

export const SERVICES: Readonly<Record<ServiceName, ServiceDefinition>> = Object.freeze({
  temporal: temporalService,
  s3: s3Service,
  kafka: kafkaService,
  mlflow: mlflowService,
  worker: workerService,
  'model-server': modelServerService,
  dashboard: dashboardService,
});
