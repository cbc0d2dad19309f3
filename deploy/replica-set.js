// Makes the replica set and the hub's account; does nothing where they are.
// Run by mongosh on the first member: docker compose does, see compose.yaml.
const password = process.env.MONGO_PASSWORD;
if (!password) {
  throw new Error("MONGO_PASSWORD is not set in hub.env");
}
try {
  rs.status();
} catch (error) {
  if (error.codeName === "NotYetInitialized") {
    rs.initiate({
      _id: "hub",
      members: ["mongo-1", "mongo-2", "mongo-3"].map((host, i) => ({
        _id: i,
        host: `${host}:27017`,
      })),
    });
  } else if (error.codeName === "Unauthorized") {
    quit(0); // it was made, and asks for passwords now
  } else {
    throw error;
  }
}
while (!db.hello().isWritablePrimary) {
  sleep(500);
}
try {
  db.getSiblingDB("admin").createUser({
    user: "chm-hub",
    pwd: password,
    roles: [{ role: "readWrite", db: "chm_hub" }],
  });
} catch (error) {
  if (!["Location51003", "Unauthorized"].includes(error.codeName)) {
    throw error;
  }
}
