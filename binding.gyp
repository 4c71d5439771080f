{
  "variables": { "native": "native" },
  "includes": ["native/nearwire.gypi"]
}
