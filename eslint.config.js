import tseslint from 'typescript-eslint';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';

/**
 * The import table of the house: each room names the rooms whose values it may import (`use`) and those it may only
 * know by type (`types`). A room that is not named may not be imported at all.
 */
const ROOMS = {
  contracts: { use: [], types: [] },
  delta: { use: [], types: [] },
  config: { use: ['contracts', 'quality'], types: [] },
  quality: { use: ['contracts'], types: [] },
  medallion: { use: ['contracts', 'quality', 'delta'], types: [] },
  ml: { use: ['contracts', 'delta'], types: [] },
  report: { use: ['contracts'], types: [] },
  workflows: { use: ['contracts'], types: [] },
  connectors: { use: ['contracts', 'config'], types: ['delta'] },
  monitoring: { use: ['contracts'], types: [] },
  maintenance: { use: ['contracts'], types: [] },
  activities: {
    use: ['contracts', 'delta', 'quality', 'medallion', 'maintenance', 'ml', 'monitoring', 'lake', 'report'],
    types: ['connectors', 'config'],
  },
  lake: { use: ['contracts', 'delta'], types: [] },
  client: { use: ['contracts'], types: [] },
  dashboard: {
    use: ['contracts', 'config', 'client', 'connectors', 'delta', 'lake', 'ml', 'monitoring'],
    types: [],
  },
  'model-server': { use: ['contracts', 'config', 'connectors', 'delta', 'lake', 'ml'], types: [] },
  platform: { use: ['contracts', 'config', 'connectors'], types: [] },
  cli: {
    use: [
      'contracts',
      'config',
      'client',
      'connectors',
      'dashboard',
      'delta',
      'lake',
      'medallion',
      'ml',
      'model-server',
      'monitoring',
      'platform',
      'report',
    ],
    types: ['workflows'],
  },
};
const ROOT_FILES = [
  'worker',
  'train-child',
  'training-job',
  'compose-backup',
  'compose-maintenance',
  'compose-monitoring',
  'compose-training',
  'schedules',
  'workflow-bundle',
];
const importPath = (room) => `^(\\.\\./)+${room}(/|\\.js$)`;

const roomRules = Object.entries(ROOMS).map(([room, { use, types }]) => {
  const others = [...Object.keys(ROOMS), ...ROOT_FILES].filter(
    (other) => other !== room && !use.includes(other),
  );
  const allowSchedules = room === 'cli' || room === 'platform' || room === 'dashboard';
  const forbidden = others.filter((other) => !(allowSchedules && other === 'schedules'));
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: forbidden.map((other) => ({
            regex: importPath(other),
            allowTypeImports: types.includes(other),
            message: `src/${room} may not import src/${other}${types.includes(other) ? ' except as a type' : ''} (see docs/ARCHITECTURE.md, The rooms).`,
          })),
        },
      ],
    },
  };
});

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.datalab/**', 'coverage/**'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'import-x/no-cycle': 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true, IIFEs: true }],
    },
  },
  ...roomRules,
  {
    // The page knows the server by its types alone. A component is mostly markup, a line an element.
    files: ['src/dashboard/web/**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(\\.\\./)+(server|contracts|lake|delta|client|config|connectors|monitoring)/',
              allowTypeImports: true,
            },
          ],
        },
      ],
      'max-lines-per-function': ['error', { max: 150, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/workflows/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!@temporalio/(workflow|common)$|\\./|\\.\\./contracts/|\\.\\./policies)',
              message:
                'Workflow code is deterministic: it imports @temporalio/workflow and src/contracts only.',
            },
          ],
        },
      ],
      'no-restricted-globals': [
        'error',
        ...[
          'process',
          'Buffer',
          'fetch',
          'performance',
          'crypto',
          'setInterval',
          'setImmediate',
          'require',
        ].map((name) => ({
          name,
          message: 'Not deterministic: replay would differ. Use @temporalio/workflow or an activity.',
        })),
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: { 'max-lines-per-function': 'off' },
  },
);
