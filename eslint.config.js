import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['build/', 'build-docs/', 'build-variants/', 'dist/', 'prebuilds/', 'node_modules/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A bound method is how listeners are shared; the class says which are used so.
      '@typescript-eslint/unbound-method': 'off',
      // To import it reads all its properties, which opens the standard streams and changes their descriptors.
      'no-restricted-imports': ['error', 'node:process', 'process'],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Other people's types declare options as classes, and mean literals.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
);
