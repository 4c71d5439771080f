/**
 * For TypeDoc: `export type Channel = types.Channel` makes TypeDoc list the type at the export only. References to the
 * original declaration are redirected to the export's page.
 */
import { Converter, ReflectionKind } from 'typedoc';

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (!reflection.kindOf(ReflectionKind.TypeAlias | ReflectionKind.Interface)) return;
    const symbol = context.getSymbolFromReflection(reflection);
    if (symbol === undefined) return;
    const type = context.checker.getDeclaredTypeOfSymbol(symbol);
    // The alias of a generic type is the export itself.
    const declared = [type.aliasSymbol, type.symbol].find((of) => of !== symbol && of?.name === symbol.name);
    if (declared === undefined) return;
    context.project.registerSymbolId(reflection, context.createSymbolId(declared));
  });
}
