if obj.metadata.annotations ~= nil then
  obj.metadata.annotations["headway.dev/paused"] = nil
end
return obj
