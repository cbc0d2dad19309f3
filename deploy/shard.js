// Shards the hub's store, once, on a mongos of a cluster that is there already:
//   mongosh "mongodb://admin@mongos/admin" deploy/shard.js
// Start the hub once before, so that its collections and indexes exist. What is large is spread by a
// hash of its identifier: records are written and looked up by name, pages are read by name, and a
// key that rises (a position, a date) would make one shard do all the work. What is small stays
// whole: its documents are changed in single atomic steps.
const name = "chm_hub";
const hub = db.getSiblingDB(name);
sh.enableSharding(name);
for (const collection of ["records", "batches", "documents", "aside"]) {
  hub[collection].createIndex({ _id: "hashed" });
  sh.shardCollection(`${name}.${collection}`, { _id: "hashed" });
}
// GridFS: the parts of a file stay together.
sh.shardCollection(`${name}.bodies.chunks`, { files_id: 1, n: 1 });
for (const collection of hub.getCollectionNames().sort()) {
  const stats = hub[collection].stats();
  print(`${collection}: ${stats.sharded ? "sharded" : "on one shard"}, ${stats.count} documents`);
}
