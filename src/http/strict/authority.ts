/** The value of a Host field, and the authority of a target: `uri-host [ ":" port ]`, RFC 9110, 7.2. */

/** RFC 3986, 3.2.2: an address in brackets, or a registered name, which may be empty there. */
const AUTHORITY =
  /^(\[(?:[\dA-Fa-f:.]+|v[\dA-Fa-f]+\.[\w\-.~!$&'()*+,;=:]+)\]|(?:[\w\-.~!$&'()*+,;=]|%[\dA-Fa-f]{2})*)(?::(\d*))?$/;

export interface Authority {
  readonly host: string;
  /** undefined: there is no colon. */
  readonly port: string | undefined;
}

/** undefined: it is none. */
export function authorityOf(text: string): Authority | undefined {
  const match = AUTHORITY.exec(text);
  return match === null ? undefined : { host: match[1] ?? '', port: match[2] };
}
