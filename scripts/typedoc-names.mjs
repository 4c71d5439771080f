/**
 * For TypeDoc: `export type Channel = types.Channel` gives a type another place, and the reference knows it by that alone. What
 * names the type where it was declared then leads to the page of its export.
 */
import { Converter, ReflectionKind } from 'typedoc';

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (!reflection.kindOf(ReflectionKind.TypeAlias | ReflectionKind.Interface)) return;
    const symbol = context.getSymbolFromReflection(reflection);
    if (symbol === undefined) return;
    const type = context.checker.getDeclaredTypeOfSymbol(symbol);
    // Of a generic one, the alias is the export itself.
    const declared = [type.aliasSymbol, type.symbol].find((of) => of !== symbol && of?.name === symbol.name);
    if (declared === undefined) return;
    context.project.registerSymbolId(reflection, context.createSymbolId(declared));
  });
}
