global using Polygraph.Protocol;
