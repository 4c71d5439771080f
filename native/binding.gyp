# Builds the addon of an installed package where no prebuilt one fits: node-gyp rebuild --directory node_modules/nearwire/native.
# It is not in the package's root, as npm would build it at every install.
{
  "variables": { "native": "." },
  "includes": ["nearwire.gypi"]
}
