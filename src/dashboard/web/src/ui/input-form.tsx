/** A form made of a JSON Schema: what a flow takes, field by field. What is left empty is not sent. */
import { useTranslation } from 'react-i18next';
import { descriptionsInPortuguese } from '../texts/inputs';

/** The parts of JSON Schema that inputs of flows use. */
export interface InputSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly choices?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, InputSchema>>;
  readonly required?: readonly string[];
  readonly items?: InputSchema;
  readonly oneOf?: readonly InputSchema[];
  readonly anyOf?: readonly InputSchema[];
}

type Given = Readonly<Record<string, unknown>>;
interface FieldProps {
  readonly name: string;
  readonly schema: InputSchema;
  readonly required: boolean;
  readonly value: unknown;
  readonly choices: Readonly<Record<string, readonly string[]>>;
  readonly onChange: (value: unknown) => void;
}

const isGiven = (value: unknown): value is Given =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const constants = ({ properties = {} }: InputSchema): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(properties).flatMap(([key, one]) => (one.const === undefined ? [] : [[key, one.const]]));

/** Titles and descriptions in the chosen language. */
function useTexts(): {
  readonly titleOf: (field: string) => string;
  readonly describe: (english: string | undefined) => string | undefined;
} {
  const { t, i18n } = useTranslation();
  return {
    titleOf: (field) => t(`inputs.${field}` as 'inputs.dataset', { defaultValue: field }),
    describe: (english) =>
      i18n.language === 'pt-BR' && english !== undefined
        ? (descriptionsInPortuguese[english] ?? english)
        : english,
  };
}

/** The fields of an object; of one of several kinds, first which. */
export function InputFields({
  schema,
  value,
  choices,
  onChange,
}: Pick<FieldProps, 'schema' | 'choices' | 'onChange'> & { readonly value: unknown }) {
  const { titleOf } = useTexts();
  const given = isGiven(value) ? value : {};
  const kinds = schema.oneOf ?? [];
  const kind = kinds.find((one) => constants(one).every(([key, only]) => given[key] === only)) ?? kinds[0];
  const shown = kind ?? schema;
  const [key] = kind ? (constants(kind)[0] ?? []) : [];
  const set = (name: string, next: unknown): void => {
    const { [name]: _, ...rest } = given;
    onChange(next === undefined ? rest : { ...rest, [name]: next });
  };
  return (
    <>
      {key !== undefined && (
        <label className="field">
          {titleOf(key)}
          <select
            value={String(given[key] ?? constants(kind as InputSchema)[0]?.[1] ?? '')}
            onChange={({ target }) => onChange({ [key]: target.value })}
          >
            {kinds.map((one) => {
              const [, only] = constants(one)[0] ?? [];
              return <option key={String(only)}>{String(only)}</option>;
            })}
          </select>
        </label>
      )}
      {Object.entries(shown.properties ?? {})
        .filter(([, one]) => one.const === undefined)
        .map(([name, one]) => (
          <Field
            key={name}
            name={name}
            schema={one}
            required={shown.required?.includes(name) ?? false}
            value={given[name]}
            choices={choices}
            onChange={(next) => set(name, next)}
          />
        ))}
    </>
  );
}

/** What a form starts with: the one value of each kind that is chosen already. */
export function filledIn(schema: InputSchema, value: unknown): unknown {
  const given = isGiven(value) ? value : {};
  const [first] = schema.oneOf ?? [];
  const known =
    first && !constants(first).some(([key]) => key in given) ? Object.fromEntries(constants(first)) : {};
  const parts = Object.entries(schema.properties ?? {}).flatMap(([name, one]) =>
    one.oneOf ? [[name, filledIn(one, given[name])] as const] : [],
  );
  return { ...known, ...given, ...Object.fromEntries(parts) };
}

function Field({ name, schema, required, value, choices, onChange }: FieldProps) {
  const { t } = useTranslation();
  const { titleOf, describe } = useTexts();
  const title = titleOf(name);
  const description = describe(schema.description);
  if (schema.oneOf || schema.type === 'object')
    return (
      <fieldset className="form">
        <legend>{title}</legend>
        <InputFields schema={schema} value={value} choices={choices} onChange={onChange} />
      </fieldset>
    );
  if (schema.type === 'boolean')
    return (
      <label className="inline">
        <input
          type="checkbox"
          checked={value === true}
          onChange={({ target }) => onChange(target.checked ? true : undefined)}
        />
        <span>
          {title} {description && <span className="dim small">{description}</span>}
        </span>
      </label>
    );
  return (
    <label className="field">
      <span>
        {title} {!required && <i>({t('starting.optional')})</i>}
      </span>
      <Scalar {...{ name, schema, required, value, choices, onChange }} />
      {description && <span className="small">{description}</span>}
    </label>
  );
}

function Scalar({ name, schema, required, value, choices, onChange }: FieldProps) {
  const { t } = useTranslation();
  const text = value === undefined || value === null ? '' : String(value);
  if (schema.enum)
    return (
      <select
        required={required}
        value={text}
        onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}
      >
        <option value="">{t('starting.unset')}</option>
        {schema.enum.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    );
  if (schema.type === 'array')
    return (
      <textarea
        placeholder={t('starting.listHint')}
        value={Array.isArray(value) ? value.join('\n') : ''}
        onChange={({ target }) => {
          const lines = target.value.split('\n');
          onChange(lines.every((one) => one === '') ? undefined : lines);
        }}
        onBlur={() =>
          Array.isArray(value) &&
          onChange(
            value
              .map(String)
              .map((one) => one.trim())
              .filter(Boolean),
          )
        }
      />
    );
  if (schema.type === 'integer' || schema.type === 'number')
    return (
      <input
        type="number"
        required={required}
        step={schema.type === 'integer' ? 1 : 'any'}
        min={schema.minimum}
        max={schema.maximum}
        value={text}
        onChange={({ target }) => onChange(target.value === '' ? undefined : Number(target.value))}
      />
    );
  const known = schema.choices === undefined ? [] : (choices[schema.choices] ?? []);
  const list = `choices-${schema.choices ?? name}`;
  return (
    <>
      <input
        required={required}
        value={text}
        {...(known.length > 0 && { list })}
        onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}
      />
      {known.length > 0 && (
        <datalist id={list}>
          {known.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </>
  );
}
