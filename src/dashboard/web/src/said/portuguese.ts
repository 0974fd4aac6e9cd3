/** The sentences of workers in Brazilian Portuguese. Tests hold them to the code that writes the English ones. */
import type { Sentence } from './translate.js';

const checks: readonly Sentence[] = [
  [
    '{what} in {bad} of {rows} rows ({share}), at most {limit} allowed',
    '{what} em {bad} de {rows} linhas ({share}), permitido no máximo {limit}',
  ],
  ['{columns} repeats an earlier row', '{columns} repete uma linha anterior'],
  ['{columns} is not unique', '{columns} não é único'],

  ['the rule is broken', 'a regra é violada'],
  ['{column} is missing', '{column} está ausente'],
  ['{column} is above {to}', '{column} está acima de {to}'],
  ['{column} is below {from}', '{column} está abaixo de {from}'],
  ['{column} lies outside {from} to {to}', '{column} está fora de {from} a {to}'],
  ['{column} is none of the listed values', '{column} não é nenhum dos valores listados'],
  ['{column} does not match {pattern}', '{column} não corresponde a {pattern}'],
  ['{n} differences from the {columns} declared columns', '{n} diferenças das {columns} colunas declaradas'],
  [
    '{n} differences from the {columns} declared columns: {which}',
    '{n} diferenças das {columns} colunas declaradas: {which}',
  ],
  [
    '{total} rows ({published} published, {new} new), at least {min} wanted',
    '{total} linhas ({published} publicadas, {new} novas), esperadas ao menos {min}',
  ],
  [
    '{total} rows ({published} published, {new} new), {min} to {max} wanted',
    '{total} linhas ({published} publicadas, {new} novas), esperadas de {min} a {max}',
  ],
  ['no row has a date in {column}', 'nenhuma linha tem data em {column}'],
  [
    'the newest {column} is {newest}, {days} days before {time}, at most {max} allowed',
    'o {column} mais novo é {newest}, {days} dias antes de {time}, permitidos no máximo {max}',
  ],
  ['no row has a value to take the {figure} of', 'nenhuma linha tem valor para calcular {figure}'],
  [
    '{n} of {wanted} runs of history; {figure} is {value}',
    '{n} de {wanted} execuções de histórico; {figure} é {value}',
  ],
  [
    '{figure} is {value}, the median of {n} runs {usual}: {away}, at most {max} allowed',
    '{figure} é {value}, a mediana de {n} execuções {usual}: {away}, permitido no máximo {max}',
  ],
  ['not comparable with 0', 'não comparável com 0'],
  ['{share} away', '{share} de distância'],
  ['quantile {q} of {column}', 'quantil {q} de {column}'],
  ['null_ratio of {column}', 'parcela de ausentes de {column}'],
  ['mean of {column}', 'média de {column}'],
  ['stddev of {column}', 'desvio padrão de {column}'],
  ['nothing to score', 'nada a pontuar'],
  ['the score is {score}, at least {min} wanted', 'a nota é {score}, esperada ao menos {min}'],
];

const gate: readonly Sentence[] = [
  ['baseline: {detail}', 'linha de base: {detail}'],
  ['significance: {detail}', 'significância: {detail}'],
  ['threshold: {detail}', 'limite: {detail}'],
  ['leakage: {detail}', 'vazamento: {detail}'],
  ['parity: {detail}', 'paridade: {detail}'],
  ['champion: {detail}', 'campeão: {detail}'],
  ['schema: {detail}', 'esquema: {detail}'],
  ['no feature looks ahead', 'nenhum atributo olha para a frente'],
  ['looks ahead: {features}', 'olha para a frente: {features}'],
  ["our prediction and the library's are the same", 'nossa previsão e a da biblioteca são iguais'],
  [
    "our prediction and the library's differ by {difference} at most",
    'nossa previsão e a da biblioteca diferem no máximo {difference}',
  ],
  [
    "not compared: XGBoost's library was not there, and nothing but our own prediction was used",
    'não comparada: a biblioteca do XGBoost não estava lá, e só a nossa previsão foi usada',
  ],
  [
    '{metric} {own}, at most {wanted} wanted ({name} has {best})',
    '{metric} {own}, esperado no máximo {wanted} ({name} tem {best})',
  ],
  [
    '{metric} {own}, at least {wanted} wanted ({name} has {best})',
    '{metric} {own}, esperado ao menos {wanted} ({name} tem {best})',
  ],
  ['there is no interval for the difference', 'não há intervalo para a diferença'],
  ['the difference to {to} lies between {low} and {high}', 'a diferença para {to} está entre {low} e {high}'],
  [
    'the difference to {to} lies between {low} and {high}, which is no proof that it is better',
    'a diferença para {to} está entre {low} e {high}, o que não prova que é melhor',
  ],
  [
    'the champion takes other features; promote by hand when its users are ready',
    'o campeão usa outros atributos; promova à mão quando quem o usa estiver pronto',
  ],
  [
    '{metric} {own}, the champion (version {version}) has {theirs} on the same rows',
    '{metric} {own}, o campeão (versão {version}) tem {theirs} nas mesmas linhas',
  ],
  ['{name} {value}, at least {min} wanted', '{name} {value}, esperado ao menos {min}'],
  ['{name} {value}, at most {max} wanted', '{name} {value}, esperado no máximo {max}'],
  ['{name} {value}, at least {min} and at most {max} wanted', '{name} {value}, esperado entre {min} e {max}'],
];

const alerts: readonly Sentence[] = [
  ['the object store does not answer: {detail}', 'o armazenamento de objetos não responde: {detail}'],
  ['{service} does not answer: {detail}', '{service} não responde: {detail}'],
  ['{service} takes {value} ms to answer', '{service} leva {value} ms para responder'],
  ['the {probe} probe failed: {detail}', 'a sonda {probe} falhou: {detail}'],
  ['no worker polls the pool {pool}', 'nenhum worker atende o pool {pool}'],
  ['work waits {value} s for the pool {pool}', 'há trabalho esperando {value} s pelo pool {pool}'],
  ['the pool {pool} is not described: {detail}', 'o pool {pool} não é descrito: {detail}'],
  ['the Kafka topic {topic} does not exist', 'o tópico Kafka {topic} não existe'],
  ['the Kafka cluster has no controller', 'o cluster Kafka não tem controlador'],
  ['{value} partitions of {topic} are offline', '{value} partições de {topic} estão fora do ar'],
  ['{value} partitions of {topic} lack replicas', '{value} partições de {topic} estão sem réplicas'],
  [
    '{group} falls behind on {topic}, {value} samples in a row: {detail}',
    '{group} se atrasa em {topic}, {value} amostras seguidas: {detail}',
  ],
  ['{group} is {value} s behind on {topic}', '{group} está {value} s atrasado em {topic}'],
  ['{table} cannot be read: {detail}', '{table} não pode ser lida: {detail}'],
  ['the newest data of {dataset} is {detail}', 'os dados mais novos de {dataset}: {detail}'],
  [
    'the definition of {dataset} cannot be used: {detail}',
    'a definição de {dataset} não pode ser usada: {detail}',
  ],
  ['{table} has {value} commits since its checkpoint', '{table} tem {value} commits desde o checkpoint'],
  [
    '{value} rows of {table} were refused since the last sample',
    '{value} linhas de {table} foram recusadas desde a última amostra',
  ],
  [
    '{model} version {version} is worse in use than it was at training: {detail}',
    '{model} versão {version} é pior em uso do que no treino: {detail}',
  ],
  [
    'what {model} version {version} predicts has moved away from its holdout (PSI {value})',
    'o que {model} versão {version} prevê se afastou do seu holdout (PSI {value})',
  ],
  [
    '{model} cannot be held against the truth: {detail}',
    '{model} não pode ser comparado com a verdade: {detail}',
  ],
  ['{value} events are not sent yet: {detail}', '{value} eventos ainda não enviados: {detail}'],
  [
    'the schedule {schedule} is not in Temporal: run datalab schedules apply',
    'o agendamento {schedule} não está no Temporal: rode datalab schedules apply',
  ],
  ['the schedule {schedule} is paused: {detail}', 'o agendamento {schedule} está pausado: {detail}'],
  [
    '{schedule} was paused after repeated failures; when the cause is gone: datalab schedules resume {again}',
    '{schedule} foi pausado após falhas repetidas; quando a causa sumir: datalab schedules resume {again}',
  ],
  [
    '{value} expected runs of {schedule} never started ({detail}): datalab schedules gaps {again}',
    '{value} execuções esperadas de {schedule} nunca iniciaram ({detail}): datalab schedules gaps {again}',
  ],
  [
    'tasks wait {value} s until a worker of {pool} takes them: {detail}',
    'as tarefas esperam {value} s até que um worker de {pool} as pegue: {detail}',
  ],
  ['events are not sent for {value} s: {detail}', 'há {value} s eventos não são enviados: {detail}'],
  ['alerts took {value} s to go out over {channel}', 'os alertas levaram {value} s para sair por {channel}'],
  [
    '{schedule} is not as the configuration declares it ({detail}); to put it right: datalab schedules apply',
    '{schedule} não está como a configuração declara ({detail}); para corrigir: datalab schedules apply',
  ],
  ['the last {value} runs of {schedule} failed', 'as últimas {value} execuções de {schedule} falharam'],
  [
    'the last {value} runs of {schedule} did only a part',
    'as últimas {value} execuções de {schedule} fizeram só uma parte',
  ],
  [
    'a run of {schedule} is over its budget: {detail}',
    'uma execução de {schedule} passou do seu orçamento: {detail}',
  ],
  [
    'a run of {schedule} takes much longer than usual: {detail}',
    'uma execução de {schedule} demora muito mais que o usual: {detail}',
  ],
  ['{message} [{severity}] {count} alerts at once', '{message} [{severity}] {count} alertas de uma vez'],
  ['{message} [{severity}] {rule} opened', '{message} [{severity}] {rule} abriu'],
  ['{message} [{severity}] {rule} resolved', '{message} [{severity}] {rule} resolvido'],
  ['{message} [{severity}] {rule} updated', '{message} [{severity}] {rule} atualizado'],
  ['{message} [{severity}] {rule} repeated', '{message} [{severity}] {rule} repetido'],
];

const maintenance: readonly Sentence[] = [
  [
    '{damaged} files that the log names are missing or cut short',
    '{damaged} arquivos citados no log faltam ou estão cortados',
  ],
  [
    '{damage}, which is all of them: restore the table from a backup',
    '{damage}, ou seja, todos: restaure a tabela de um backup',
  ],
  ['{damage}: they would leave the table', '{damage}: eles sairiam da tabela'],
  ['everything is there again', 'está tudo lá de novo'],
  [
    '{files} files left the table in version {version}',
    '{files} arquivos saíram da tabela na versão {version}',
  ],
  ['would be read and held against its declaration', 'seria lida e comparada com sua declaração'],
  ['no dataset declares the table any more', 'nenhum conjunto declara mais a tabela'],
  [
    'version {version}, {failed} of {all} checks failed',
    'versão {version}, {failed} de {all} verificações falharam',
  ],
  [
    'version {version}, {failed} of {all} checks failed: {which}',
    'versão {version}, {failed} de {all} verificações falharam: {which}',
  ],
  ['no file is small any more', 'nenhum arquivo é mais pequeno'],
  ['{files} files would be packed', '{files} arquivos seriam juntados'],
  ['{files} files were taken by a writer', '{files} arquivos foram tomados por um escritor'],
  ['{files} files became {left}', '{files} arquivos viraram {left}'],
  [
    '{files} files became {left}, {skipped} left to a writer',
    '{files} arquivos viraram {left}, {skipped} deixados a um escritor',
  ],
  ['there is no backup yet: `datalab backup create`', 'ainda não há backup: `datalab backup create`'],
  ['a run of {dataset} is in progress', 'uma execução de {dataset} está em andamento'],
  ['every file is needed', 'todo arquivo é necessário'],
  ['{files} files with {bytes} bytes would go', '{files} arquivos com {bytes} bytes iriam embora'],
  ['{files} files with {bytes} bytes went', '{files} arquivos com {bytes} bytes foram embora'],
  [
    'version {version} would get a checkpoint in place of {commits} commits',
    'a versão {version} ganharia um checkpoint no lugar de {commits} commits',
  ],
  ['of version {version}', 'da versão {version}'],
  [
    'no commit is old enough with a checkpoint in its place',
    'nenhum commit é velho o bastante e tem um checkpoint no lugar',
  ],
  ['{objects} objects below version {version}', '{objects} objetos abaixo da versão {version}'],
  ['rows stay: no policy, or a hold', 'as linhas ficam: sem política, ou retidas'],
  ['the table has no date or timestamp {column}', 'a tabela não tem data ou instante {column}'],
  ['no row before {before}', 'nenhuma linha antes de {before}'],
  [
    '{rows} rows with {column} before {before} would go',
    '{rows} linhas com {column} antes de {before} iriam embora',
  ],
  [
    '{rows} rows with {column} before {before}: version {version}',
    '{rows} linhas com {column} antes de {before}: versão {version}',
  ],
  [
    'the time of the table was over: the next run does it',
    'o tempo da tabela acabou: a próxima execução o faz',
  ],
  [
    '{done}, {left} left for the next run: the time of the table was over',
    '{done}, {left} deixados à próxima execução: o tempo da tabela acabou',
  ],
  ['the time was over before these were done: {tables}', 'o tempo acabou antes destas: {tables}'],
  [
    'where that is so every week, set a larger maintenance.budgetMinutes or maintenance.tableMinutes in datalab.yaml',
    'se for assim toda semana, aumente maintenance.budgetMinutes ou maintenance.tableMinutes em datalab.yaml',
  ],
  ['set maintenance.backup.uri in datalab.yaml', 'defina maintenance.backup.uri em datalab.yaml'],
  [
    'give it a retention in its dataset.yaml (docs/maintenance.md); the plan then says what would go',
    'dê-lhe uma retenção no dataset.yaml (docs/maintenance.md); o plano então diz o que sairia',
  ],
  ['{task} failed: {detail}', '{task} falhou: {detail}'],
  ['{task} stepped aside: {detail}', '{task} deu passagem: {detail}'],
  ['rows past their time stay: {detail}', 'linhas fora do prazo ficam: {detail}'],
  ['this was a dry run: nothing was done', 'isto foi uma simulação: nada foi feito'],
  [
    'no place for backups is configured: a lost disk is a lost lake',
    'nenhum lugar para backups configurado: um disco perdido é um lake perdido',
  ],
];

const platform: readonly Sentence[] = [
  ['Bronze, Silver and Gold once a day', 'Bronze, Silver e Gold uma vez por dia'],
  [
    'The same every hour; made paused, `datalab schedules resume medallion-etl-hourly` starts it',
    'O mesmo a cada hora; criado pausado, `datalab schedules resume medallion-etl-hourly` o inicia',
  ],
  [
    'Measures Kafka, the lake, the services and the schedules, and alerts',
    'Mede o Kafka, o lake, os serviços e os agendamentos, e alerta',
  ],
  [
    'Retention, small files, unneeded files, checkpoints and logs, table by table as each needs it',
    'Retenção, arquivos pequenos, arquivos desnecessários, checkpoints e logs, tabela por tabela conforme precisa',
  ],
  [
    'Trains the model anew and deploys it if it has earned that',
    'Treina o modelo de novo e o implanta se ele mereceu',
  ],
  [
    'Keeps what was predicted, and holds it against the truth once that is there',
    'Guarda o que foi previsto e o compara com a verdade quando ela chega',
  ],
  ['it takes connections', 'aceita conexões'],
  ['server {version}', 'servidor {version}'],
  ['version {version}', 'versão {version}'],
  [
    'switched off by kafka.enabled; events stay pending',
    'desligado por kafka.enabled; os eventos ficam pendentes',
  ],
  [
    'switched off by mlflow.enabled; no model is trained',
    'desligado por mlflow.enabled; nenhum modelo é treinado',
  ],
  ['no answer within {seconds} s', 'sem resposta em {seconds} s'],
  ['report of {dataset}', 'relatório de {dataset}'],
  ['model {model}', 'modelo {model}'],
];

/** Words that stand alone: severities, kinds of checks, tasks, phases, roles, and what the audit log names. */
const words: readonly Sentence[] = Object.entries({
  ...{ warn: 'aviso', block: 'bloqueia', quarantine: 'quarentena' },
  ...{
    schema: 'esquema',
    row_count: 'contagem de linhas',
    nulls: 'ausentes',
    range: 'intervalo',
    set: 'lista',
  },
  ...{
    pattern: 'padrão',
    duplicates: 'duplicadas',
    unique: 'unicidade',
    sql: 'SQL',
    freshness: 'atualidade',
  },
  ...{ volume: 'volume de linhas', distribution: 'distribuição', score: 'nota' },
  ...{ baseline: 'linha de base', significance: 'significância', threshold: 'limite', leakage: 'vazamento' },
  ...{ parity: 'paridade', champion: 'campeão' },
  ...{
    repair: 'reparo',
    audit: 'auditoria',
    retention: 'retenção',
    optimize: 'otimização',
    vacuum: 'vacuum',
  },
  ...{ checkpoint: 'checkpoint', 'clean-log': 'limpeza do log', maintenance: 'manutenção', backup: 'backup' },
  ...{ create: 'criar', verify: 'verificar', drill: 'ensaiar', restore: 'restaurar' },
  ...{ viewer: 'leitor', operator: 'operador', admin: 'administrador' },
  ...{
    'acknowledge alert': 'reconhecer alerta',
    'add user': 'adicionar usuário',
    'audit lake': 'auditar lake',
  },
  ...{
    'cancel run': 'cancelar execução',
    'decide on model': 'decidir sobre modelo',
    'end silence': 'encerrar silêncio',
  },
  ...{ 'make API token': 'criar token de API', 'pause schedule': 'pausar agendamento' },
  ...{ 'plan maintenance': 'planejar manutenção', 'preview backfill': 'prever preenchimento' },
  ...{ 'promote model': 'promover modelo', query: 'consulta', 'remove API token': 'remover token de API' },
  ...{ 'remove user': 'remover usuário', 'replay quarantine': 'reprocessar quarentena' },
  ...{ 'reset alert rule': 'restaurar regra de alerta', 'resume schedule': 'retomar agendamento' },
  ...{ 'retry run': 'repetir execução', 'roll back model': 'voltar modelo atrás' },
  ...{ 'run maintenance': 'executar manutenção', 'run schedule now': 'executar agendamento agora' },
  ...{ 'set alert rule': 'definir regra de alerta', 'sign in': 'entrar', 'sign out': 'sair' },
  ...{
    'silence alerts': 'silenciar alertas',
    'start backfill': 'iniciar preenchimento',
    'start flow': 'iniciar fluxo',
  },
  ...{ 'start run': 'iniciar execução', 'train model': 'treinar modelo', 'make backup': 'fazer backup' },
  ...{ 'verify backup': 'verificar backup', 'try backup': 'ensaiar backup' },
  ...{ 'use a one-time link': 'usar um link único' },
  ...{ starting: 'iniciando', done: 'feito', refused: 'recusado', failed: 'falhou' },
});

export const SENTENCES: readonly Sentence[] = [
  ...words,
  ...checks,
  ...gate,
  ...alerts,
  ...maintenance,
  ...platform,
];
