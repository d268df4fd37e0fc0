const enough = 64 * 1024;

/** What stands between the columns: whichever of the usual signs is met most in the first line, outside of quotes. */
function delimiterOf(line: string): string {
  const bare = line.replace(/"(?:[^"]|"")*"/g, '');
  const count = (sign: string) => bare.split(sign).length - 1;
  return [',', ';', '\t'].reduce((best, sign) => (count(sign) > count(best) ? sign : best), ',');
}

/** The names in the first line of a table. */
export function columnsOf(text: string): string[] {
  const all = text.replace(/^\uFEFF/, '');
  const names: string[] = [];
  let name = '';
  let quoted = false;
  const delimiter = delimiterOf(all.split(/\r?\n/, 1)[0] ?? '');
  for (let at = 0; at < all.length; at += 1) {
    const sign = all[at]!;
    if (quoted) {
      if (sign !== '"') name += sign;
      else if (all[at + 1] === '"') name += all[(at += 1)];
      else quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === '\n' || sign === '\r') break;
    else if (sign === delimiter) {
      names.push(name.trim());
      name = '';
    } else name += sign;
  }
  names.push(name.trim());
  return names.filter((one, index) => one !== '' && names.indexOf(one) === index);
}

/** The columns of a file, if it looks like a table. */
export async function columnsOfFile(file: File): Promise<string[]> {
  if (!/\.(csv|tsv)$/i.test(file.name)) return [];
  return columnsOf(await file.slice(0, enough).text());
}
